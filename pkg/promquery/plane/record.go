package plane

import "time"

const (
	// maxWait is the longest pause between two tries of a query that fails, in
	// intervals.
	maxWait = 16
	// firstTrial and maxTrial are how many good answers in a row it takes until a
	// query is asked together with others again: at first, and after relapses.
	firstTrial, maxTrial = 4, 256
)

// record is what is held against one query. The zero record is that of a query
// nothing is known against. It is pure.
type record struct {
	// trial is how many good answers in a row the query still owes; it is asked
	// alone meanwhile.
	trial int32
	// sentence is how long the trial was that it was given last.
	sentence int32
	failures int32 // in a row
	until    time.Time
	// rest is the error that stands until then.
	rest *RestError
}

// alone reports whether the query is to be asked alone.
func (r *record) alone() bool { return r.trial > 0 }

// failing reports whether the last request for the query failed.
func (r *record) failing() bool { return r.failures > 0 }

// resting reports whether the query is not to be asked at all now.
func (r *record) resting(now time.Time) bool { return r.failing() && now.Before(r.until) }

// convict has the query asked alone from now on; longer than the last time.
func (r *record) convict() {
	if r.trial == 0 {
		r.sentence = min(max(firstTrial, 2*r.sentence), maxTrial)
	}
	r.trial = r.sentence
}

// failed takes note that the query failed when it was asked alone: it rests for
// one interval, then two, four and so on.
func (r *record) failed(now time.Time, interval time.Duration, err error) {
	r.convict()
	n := time.Duration(min(int(1)<<min(r.failures, 8), maxWait))
	r.failures++
	// Rounds begin a little sooner or later: half an interval is forgiven.
	r.until = now.Add(n*interval - interval/2)
	r.rest = &RestError{Until: r.until, Err: err}
}

// succeeded takes note of a good answer.
func (r *record) succeeded() {
	r.failures, r.until, r.rest = 0, time.Time{}, nil
	if r.trial > 0 {
		r.trial--
	}
}
