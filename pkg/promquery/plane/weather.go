package plane

import "time"

const (
	// maxWarned is how many requests of a round may go into finding out whom
	// warnings belong to.
	maxWarned = 64
	// minStorm and maxStorm are for how long warnings are taken to be the whole
	// source's, in intervals: at first, and when they go on.
	minStorm, maxStorm = 4, 64
)

// weather remembers that warnings came with everything, as they do while a part
// of the source's data is away. It is pure.
type weather struct {
	until time.Time
	storm time.Duration
}

// bad reports whether warnings are the whole source's at the moment.
func (w *weather) bad(now time.Time) bool { return now.Before(w.until) }

// everywhere takes note that each part of a request came with warnings.
func (w *weather) everywhere(now time.Time, interval time.Duration) {
	if w.bad(now) {
		return
	}
	if now.Sub(w.until) > w.storm {
		w.storm = 0 // it was fine in between
	}
	w.storm = min(max(minStorm*interval, 2*w.storm), maxStorm*interval)
	w.until = now.Add(w.storm)
}
