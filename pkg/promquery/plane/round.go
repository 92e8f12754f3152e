package plane

import (
	"context"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// Ask is one query that somebody wants answered at some instants.
type Ask struct {
	// Namespace is who asks.
	Namespace string
	// Query comes from [Plane.Use] of the same plane.
	Query *Query
	// From, To and Step are as in [promquery.Querier]; To may be From.
	From, To time.Time
	Step     time.Duration
}

// Result is what came of an ask.
type Result struct {
	// Answer is what the query alone would have given, when Err is nil. Its points
	// may be shared with other results: do not change them. It may have come with
	// warnings that belong to a query that was asked together with this one.
	Answer promquery.Answer
	// Err is why there is no answer: of the query's own request, or one of this
	// package's.
	Err error
	// Text is the PromQL of the newest request that asked for it, with whatever
	// else it asked for; empty when nothing was sent.
	Text string
}

// Run has all asks answered, and returns when each has a result or ctx has ended.
// The deadline of ctx is the round's: requests for many get parts of it, so that
// there is time to find out why one fails. Each result is delivered once, as soon
// as it is known, with the index of its ask; deliver is not called concurrently
// and should not block.
func (p *Plane) Run(ctx context.Context, asks []Ask, deliver func(ask int, r Result)) {
	r := &round{p: p, deliver: deliver, asks: asks, done: make(chan outcome, p.o.MaxConcurrency)}
	now := time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		r.total = deadline.Sub(now)
	}
	if len(asks) == 0 || !r.knock(ctx) {
		return
	}
	r.plan(time.Now())
	r.run(ctx)
}

// round is one Run. Nothing in it is used by two goroutines.
type round struct {
	p       *Plane
	deliver func(int, Result)
	asks    []Ask
	next    []int32       // who asks for the same, -1 at the end
	total   time.Duration // that the round may take; 0 when nothing bounds it

	shared          []*job // in order
	owned, suspects fair

	underWay, suspectsUnderWay int
	done                       chan outcome
	// blocked is closed when the probe that must be waited for has ended.
	blocked <-chan struct{}
	closed  bool // nothing more is sent

	// answered tells that the source has answered something in this round: only
	// then is a failure a query's own fault.
	answered bool
	blamed   []blame
	// warned counts requests made to find out whom warnings belong to.
	warned int
}

// blame is a query that failed alone.
type blame struct {
	query *Query
	err   error
}

// run sends what is queued until nothing is left.
func (r *round) run(ctx context.Context) {
	for {
		var slot chan<- struct{}
		switch {
		case r.blocked != nil:
		case r.hasWork():
			slot = r.p.slots
		case r.underWay == 0:
			return
		}
		select {
		case slot <- struct{}{}:
			r.start(ctx)
		case <-r.blocked:
			r.blocked = nil
		case o := <-r.done:
			r.finish(o)
		case <-ctx.Done():
			r.close()
			return
		}
	}
}

// close gives up on what was not sent, and waits for what was.
func (r *round) close() {
	r.closed = true
	r.giveUp(ErrNoTime)
	for r.underWay > 0 {
		r.finish(<-r.done)
	}
}

func (r *round) hasWork() bool {
	return len(r.shared) > 0 || r.owned.left > 0 || r.suspects.left > 0 && r.suspectsUnderWay < max(1, r.p.o.MaxConcurrency/2)
}

// push queues jobs.
func (r *round) push(jobs []*job) {
	for _, j := range jobs {
		switch j.class {
		case owned:
			r.owned.push(j.owner, j)
		case suspect:
			r.suspects.push(j.owner, j)
		default:
			r.shared = append(r.shared, j)
		}
	}
}

// pop takes the next job from the queue that is worth sending, nil when there is
// none.
func (r *round) pop(now time.Time) *job {
	for r.hasWork() {
		j := r.take(now)
		if !r.obsolete(j, now) {
			return j
		}
		if j.class == owned {
			r.owned.done(j.owner, now, now)
		}
		r.taint(j)
		r.ended(j, fine, now)
	}
	return nil
}

// take takes the next job from the queue.
func (r *round) take(now time.Time) *job {
	switch {
	case len(r.shared) > 0:
		j := r.shared[0]
		r.shared[0] = nil
		r.shared = r.shared[1:]
		return j
	case r.owned.left > 0:
		return r.owned.pop(now)
	}
	return r.suspects.pop(now)
}

// start uses the slot that was taken for the next job, as far as the breaker
// lets it.
func (r *round) start(ctx context.Context) {
	now := time.Now()
	r.p.mu.Lock()
	gate, changed, down := r.p.breaker.ask(now, r.p.o.Interval), r.p.changed, r.p.breaker.error()
	r.p.mu.Unlock()
	var j *job
	switch gate {
	case pass:
		j = r.pop(now)
	case probe:
		j = r.control()
	case wait:
		r.blocked = changed
	case refuse:
		r.giveUp(down)
	}
	if j == nil {
		<-r.p.slots
		return
	}
	if j.class == suspect {
		r.suspectsUnderWay++
	}
	r.underWay++
	for _, m := range j.members {
		m.want.sent = j.text
	}
	go func() { r.done <- r.p.attempt(ctx, j, now, r.total) }()
}

// giveUp ends everything that is queued.
func (r *round) giveUp(err error) {
	all := append(r.shared, r.owned.drain()...)
	all = append(all, r.suspects.drain()...)
	r.shared = nil
	now := time.Now()
	for _, j := range all {
		r.settle(j, err)
		// Parts that did come with warnings wait for the others.
		if s := j.origin; s != nil && s.cause == nil {
			s.givenUp = true
			r.ended(j, fine, now)
		}
	}
}

// settle ends a job that was not sent: what came of the request that it is a part
// of stands.
func (r *round) settle(j *job, err error) {
	if s := j.origin; s != nil && s.cause != nil {
		err = &SharedError{Members: s.members, Err: s.cause}
	}
	for _, m := range j.members {
		r.give(m.want, Result{Err: err})
	}
}

// give delivers a result to everybody who asked for it.
func (r *round) give(w *want, res Result) {
	if res.Err != nil && w.tainted != nil {
		res.Answer, res.Err = *w.tainted, nil
	}
	res.Text = w.sent
	for i := w.first; i >= 0; i = r.next[i] {
		r.deliver(int(i), res)
	}
}
