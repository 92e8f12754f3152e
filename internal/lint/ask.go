package lint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// What is asked of a replicasQuery: a day in steps of five minutes, of which this
// many must have an answer.
const (
	pastDay   = 24 * time.Hour
	pastStep  = 5 * time.Minute
	pastLeast = 100
)

// ask asks the source for every query of an object. The error is the source's own;
// what it says of a query is a finding.
func (l *linter) ask(ctx context.Context, o *object) error {
	if l.options.Source == nil {
		return nil
	}
	for _, s := range o.ours {
		if s.trigger == nil {
			continue
		}
		for _, q := range s.queries() {
			if err := l.askOne(ctx, s, q); err != nil {
				return fmt.Errorf("%s: %s: %w", s.Where(q.key()), q.name, err)
			}
		}
	}
	return nil
}

func (l *linter) askOne(ctx context.Context, s *subject, q query) error {
	at := l.options.Now.Truncate(time.Millisecond)
	answer, err := l.options.Source.Instant(ctx, q.text, at)
	if err != nil {
		return l.failed(s, q, err)
	}
	sample := answer.Sample(0, q.role.Domain())
	switch {
	case sample.State == zmy.Missing:
		l.answered(s, q, idNoData, "%s has no answer", q.name)
	case sample.State == zmy.SeveralSeries:
		l.answered(s, q, idSeveralSeries, "%s gives several series at present", q.name)
	case q.role == zmy.Yield && !sample.OK() && answer.Points[0].Value > 1 && answer.Points[0].Value <= 100:
		l.answered(s, q, idPercent, "zmyQuery gives %g at present: the yield is a share, from 0 to 1", answer.Points[0].Value)
	case !sample.OK():
		l.answered(s, q, idOutOfRange, "%s is no usable number at present: %s", q.name, describe(answer.Points[0]))
	case q.role == zmy.Workers && !promquery.Constant(q.text):
		return l.past(ctx, s, q, at)
	}
	return nil
}

// past looks whether a count of workers ever changed.
func (l *linter) past(ctx context.Context, s *subject, q query, at time.Time) error {
	answer, err := l.options.Source.Range(ctx, q.text, at.Add(-pastDay), at, pastStep)
	if err != nil {
		return l.failed(s, q, err)
	}
	seen := 0
	var value float64
	for i := range answer.Points {
		sample := answer.Sample(i, zmy.Amount)
		switch {
		case !sample.OK():
		case seen > 0 && sample.Value != value:
			return nil
		default:
			value = sample.Value
			seen++
		}
	}
	if seen >= pastLeast {
		l.answered(s, q, idReplicasSteady, "replicasQuery gave %g at all of %d instants of the last day", value, seen)
	}
	return nil
}

// failed reports a query that the source refuses, and returns all other errors.
func (l *linter) failed(s *subject, q query, err error) error {
	var e *promquery.Error
	if !errors.As(err, &e) || e.Kind != promquery.KindBadQuery && e.Kind != promquery.KindExecution {
		return err
	}
	l.answered(s, q, idQueryFails, "%s: the source says: %v", q.name, e.Err)
	return nil
}

func (l *linter) answered(s *subject, q query, id, format string, args ...any) {
	l.add(id, s.of.id(), s.Where(q.key()), fmt.Sprintf(format, args...))
}

func describe(p promquery.Point) string {
	if p.State != zmy.Good {
		return p.State.String()
	}
	return fmt.Sprintf("%g", p.Value)
}
