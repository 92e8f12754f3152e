package plane

import "time"

// doubtAfter is how many failures in a row cast doubt on the source itself.
const doubtAfter = 8

// breaker tells a source that fails from queries that do. It is closed while
// requests succeed now and then. After doubtAfter failures without a success in
// between it is open: nothing is sent but a probe, at once and then at most one
// an interval, until any request succeeds. It is pure.
type breaker struct {
	failures int // in a row
	open     bool
	probing  bool
	since    time.Time // of the first failure in the row
	next     time.Time // when a probe may be sent
	last     error
}

// gate is what a breaker lets through.
type gate uint8

const (
	// pass: anything.
	pass gate = iota
	// probe: one probe, which the caller must send.
	probe
	// wait: nothing until the probe under way has ended.
	wait
	// refuse: nothing, and no probe soon.
	refuse
)

// ask returns what may be sent now.
func (b *breaker) ask(now time.Time, interval time.Duration) gate {
	switch {
	case !b.open:
		return pass
	case b.probing:
		return wait
	case now.Before(b.next):
		return refuse
	}
	b.probing = true
	// Rounds begin a little sooner or later: a tenth is forgiven.
	b.next = now.Add(interval - interval/10)
	return probe
}

// succeeded takes note of any request that was answered.
func (b *breaker) succeeded() { *b = breaker{next: b.next} }

// failed takes note of a request that was not.
func (b *breaker) failed(now time.Time, err error) {
	if b.failures == 0 {
		b.since = now
	}
	b.failures++
	b.last = err
	if b.failures >= doubtAfter && !b.open {
		b.open, b.next = true, now
	}
}

// probed takes note that the probe has ended, however.
func (b *breaker) probed() { b.probing = false }

// error is why nothing is sent.
func (b *breaker) error() error {
	if !b.open {
		return nil
	}
	return &DownError{Since: b.since, Err: b.last}
}
