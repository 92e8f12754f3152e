package plane

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

const (
	// partOf is which part of the time left a request for many may take, so that
	// there is time to take it apart when it does not end.
	partOf = 3
	// enough is which part of a round a request must have had for its timeout to
	// mean anything: what begins late may be cut short by the end of the round.
	enough = 4
	// retryDelay is how long a request waits that is sent once more.
	retryDelay = 200 * time.Millisecond
)

// outcome is what came of a job.
type outcome struct {
	job     *job
	answers []promquery.Answer // one a key
	err     error
	began   time.Time
	// hurried tells that the job had too little time to blame anyone.
	hurried bool
}

// attempt sends a job, and once more where the failure may be a passing one. The
// caller has taken a slot; attempt gives it back.
func (p *Plane) attempt(ctx context.Context, j *job, began time.Time, round time.Duration) outcome {
	defer func() { <-p.slots }()
	o := outcome{job: j, began: began}
	if deadline, ok := ctx.Deadline(); ok {
		left := deadline.Sub(began)
		o.hurried = left < round/enough
		if !j.alone() || j.class == control {
			limited, cancel := context.WithTimeout(ctx, left/partOf)
			defer cancel()
			ctx = limited
		}
	}
	o.answers, o.err = p.send(ctx, j)
	if o.err != nil && j.class != suspect && j.class != control && passing(o.err) && p.wait(ctx, o.err) {
		o.answers, o.err = p.send(ctx, j)
	}
	return o
}

// wait takes note of a failure and waits a moment. It returns false where there
// is no point in another try.
func (p *Plane) wait(ctx context.Context, err error) bool {
	p.mu.Lock()
	p.breaker.failed(time.Now(), err)
	open := p.breaker.open
	p.mu.Unlock()
	if open {
		return false
	}
	timer := time.NewTimer(retryDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *Plane) send(ctx context.Context, j *job) ([]promquery.Answer, error) {
	at := j.span
	if j.by.Label != "" {
		return p.o.Querier.Split(ctx, j.text, j.by, at.from, at.to, at.step)
	}
	var a promquery.Answer
	var err error
	if at.from.Equal(at.to) {
		a, err = p.o.Querier.Instant(ctx, j.text, at.from)
	} else {
		a, err = p.o.Querier.Range(ctx, j.text, at.from, at.to, at.step)
	}
	if err != nil {
		return nil, err
	}
	return []promquery.Answer{a}, nil
}

// passing reports whether a failure may be over in a moment: no connection, or an
// error of the server itself.
func passing(err error) bool {
	e, ok := errors.AsType[*promquery.Error](err)
	if !ok {
		return false
	}
	switch e.Kind {
	case promquery.KindUnreachable:
		return true
	case promquery.KindServer:
		return e.Status == 0 || e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests
	default:
		return false
	}
}
