package plane

import (
	"errors"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// quick is the part of a round within which an answer must have come for the query
// to be the one that tells later whether the source is up.
const quick = 16

// finish takes in what came of a job.
func (r *round) finish(o outcome) {
	now := time.Now()
	j := o.job
	r.underWay--
	switch j.class {
	case owned:
		r.owned.done(j.owner, o.began, now)
	case suspect:
		r.suspects.done(j.owner, o.began, now)
		r.suspectsUnderWay--
	case shared, control:
	}
	r.note(o, now)
	switch {
	case j.class == control:
	case o.err != nil:
		r.failed(o, now)
	case len(o.answers[0].Warnings) > 0:
		r.cameWithWarnings(o, now)
	default:
		r.hand(o)
		r.ended(j, fine, now)
	}
}

// note has the breaker, and the records of the queries, learn from an outcome.
func (r *round) note(o outcome, now time.Time) {
	p := r.p
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.breaker.open
	if o.err != nil && o.job.class != control {
		r.blame(o)
	}
	switch {
	case o.err == nil:
		p.breaker.succeeded()
		r.answered = true
		if q := o.job.members[0].want.query; q.refs > 0 && (p.lastGood == nil || now.Sub(o.began) <= r.total/quick) {
			p.lastGood = q
		}
		p.acquit(o.job, len(o.answers[0].Warnings) == 0)
	case o.job.class == control:
		p.lastGood = nil
		p.breaker.last = o.err
	case o.job.class == suspect, meaningless(o):
	default:
		p.breaker.failed(now, o.err)
	}
	if o.job.class == control {
		p.breaker.probed()
	}
	if was && (o.job.class == control || !p.breaker.open) {
		close(p.changed)
		p.changed = make(chan struct{})
	}
	r.convict(now)
}

// blame notes who failed alone, with time enough.
func (r *round) blame(o outcome) {
	if !o.job.alone() || meaningless(o) {
		return
	}
	for _, m := range o.job.members {
		r.blamed = append(r.blamed, blame{m.want.query, o.err})
	}
}

// convict records who failed alone while the source answers others. The caller
// holds mu.
func (r *round) convict(now time.Time) {
	if !r.answered {
		return
	}
	for _, b := range r.blamed {
		b.query.record.failed(now, r.p.o.Interval, b.err)
	}
	r.blamed = nil
}

// acquit takes note of an answer to queries that are watched. The caller holds mu.
func (p *Plane) acquit(j *job, clean bool) {
	for _, m := range j.members {
		if rec := &m.want.query.record; rec.alone() {
			rec.succeeded()
			if !clean {
				rec.convict()
			}
		}
	}
}

// meaningless reports whether an outcome says nothing about the source or the
// query: the round was over, or the time was too short.
func meaningless(o outcome) bool {
	e, ok := errors.AsType[*promquery.Error](o.err)
	return ok && (e.Kind == promquery.KindCanceled || e.Kind == promquery.KindTimeout && o.hurried)
}

// hand delivers the answers of a job.
func (r *round) hand(o outcome) {
	for _, m := range o.job.members {
		r.give(m.want, Result{Answer: o.answers[m.key]})
	}
}

// failed takes a job apart that failed, or delivers the error where it is clear
// whose it is.
func (r *round) failed(o outcome, now time.Time) {
	j := o.job
	switch {
	case j.alone():
		for _, m := range j.members {
			r.give(m.want, Result{Err: o.err})
		}
	case r.closed, meaningless(o):
		r.settle(&job{members: j.members, origin: &split{cause: o.err, members: len(j.members)}}, nil)
	default:
		r.split(j, o.err)
	}
	r.ended(j, failing, now)
}
