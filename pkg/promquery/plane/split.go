package plane

import (
	"slices"
	"time"
)

// ways is into how many parts a request is taken apart: three steps find one
// query among 4,096.
const ways = 16

// split is a request whose answer was no good for all, taken apart.
type split struct {
	// cause is the error of the request; nil where it came with warnings.
	cause error
	// members is how many queries it was for, largest the same of its largest part.
	members, largest int
	// parts is how many there are; pending ones have not ended.
	parts, pending int
	// failures is how many parts failed, warned which came with warnings.
	failures int
	warned   []*job
	// givenUp tells that some parts were never asked, so that nobody knows whose
	// the warnings are.
	givenUp bool
}

// ending is how a part of a split ended.
type ending uint8

const (
	fine ending = iota
	failing
	warning
)

// split asks the members of a job again in parts.
func (r *round) split(j *job, cause error) {
	wants := j.wants()
	s := &split{cause: cause, members: len(wants)}
	r.p.mu.Lock()
	limits := r.p.limits(j.span, time.Now())
	r.p.mu.Unlock()
	var parts []*job
	for chunk := range slices.Chunk(wants, (len(wants)+ways-1)/ways) {
		parts = append(parts, jobs(chunk, j.span, limits, s)...)
	}
	s.parts, s.pending = len(parts), len(parts)
	for _, part := range parts {
		s.largest = max(s.largest, len(part.members))
	}
	if cause == nil {
		r.warned += len(parts)
	}
	r.push(parts)
}

// cameWithWarnings delivers answers with warnings where it is clear whose they
// are, or nobody can find out now, and otherwise tries to.
func (r *round) cameWithWarnings(o outcome, now time.Time) {
	j := o.job
	if j.alone() {
		r.hand(o)
		r.ended(j, warning, now)
		return
	}
	for _, m := range j.members {
		m.want.tainted = &o.answers[m.key]
	}
	if s := j.origin; s != nil && s.cause == nil {
		r.ended(j, warning, now) // decides what comes next
		return
	}
	r.trace(j, now)
	r.ended(j, fine, now)
}

// trace tries to find out whom the warnings of a job belong to.
func (r *round) trace(j *job, now time.Time) {
	r.p.mu.Lock()
	bad := r.p.weather.bad(now)
	r.p.mu.Unlock()
	if bad || r.closed || r.warned >= maxWarned {
		r.taint(j)
		return
	}
	r.split(j, nil)
}

// taint delivers the answers that came with warnings.
func (r *round) taint(j *job) {
	for _, m := range j.members {
		r.give(m.want, Result{Answer: *m.want.tainted})
	}
}

// ended takes note that a part of a split has ended, and draws the conclusion
// once all have.
func (r *round) ended(j *job, how ending, now time.Time) {
	s := j.origin
	if s == nil {
		return
	}
	s.pending--
	switch how {
	case failing:
		s.failures++
	case warning:
		s.warned = append(s.warned, j)
	case fine:
	}
	switch {
	case s.pending > 0:
	case s.cause != nil:
		r.concludeFailure(s, j.span, now)
	default:
		r.concludeWarnings(s, now)
	}
}

// concludeFailure: when each part can be answered it was too much at once.
func (r *round) concludeFailure(s *split, at span, now time.Time) {
	if s.failures > 0 {
		return
	}
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	r.p.appetite(at).shrink(s.largest, now, r.p.o.Interval)
}

// concludeWarnings: when each part warns it is the source, otherwise the parts
// that do are taken apart further, and single queries have been found.
func (r *round) concludeWarnings(s *split, now time.Time) {
	if s.givenUp {
		for _, j := range s.warned {
			if !j.alone() { // else it has been delivered
				r.taint(j)
			}
		}
		return
	}
	r.p.mu.Lock()
	if len(s.warned) == s.parts {
		r.p.weather.everywhere(now, r.p.o.Interval)
	}
	for _, j := range s.warned {
		if j.alone() && !r.p.weather.bad(now) {
			for _, m := range j.members {
				m.want.query.record.convict()
			}
		}
	}
	r.p.mu.Unlock()
	for _, j := range s.warned {
		if !j.alone() {
			r.trace(j, now)
		}
	}
}

// obsolete reports whether a part need not be asked any more: the warnings that
// it was to explain have turned out to be everybody's.
func (r *round) obsolete(j *job, now time.Time) bool {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	return j.origin != nil && j.origin.cause == nil && r.p.weather.bad(now)
}
