package plane

import "time"

// The least and the longest time after which more is asked together again, in
// intervals.
const minFast, maxFast = 8, 256

// appetite is how many queries are asked together. It shrinks when a request for
// many fails though each part of it can be answered: then it was too much at
// once, and nobody's fault. It is pure; the zero appetite knows no bounds.
type appetite struct {
	most int // 0 for no bound
	fast time.Duration
	grow time.Time
}

// shrink bounds requests to n queries.
func (a *appetite) shrink(n int, now time.Time, interval time.Duration) {
	if a.most > 0 && a.most <= n {
		return // a request of long ago
	}
	a.most = max(1, n)
	a.fast = min(max(minFast*interval, 2*a.fast), maxFast*interval)
	a.grow = now.Add(a.fast)
}

// limit returns how many of n queries may be asked together now.
func (a *appetite) limit(n int, now time.Time) int {
	if a.most == 0 {
		return n
	}
	if !now.Before(a.grow) {
		a.most, a.grow = 2*a.most, now.Add(a.fast)
		if a.most >= n {
			a.most = 0
			return n
		}
	}
	return min(n, a.most)
}
