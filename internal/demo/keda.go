package demo

import "time"

// activation stands in for what KEDA does with IsActive: it wakes a fleet from
// zero, and takes it to zero, from any size, once it has been inactive for the
// cooldown.
type activation struct {
	min      int
	cooldown time.Duration

	lastActive time.Time // zero for never
}

// check returns what spec.replicas becomes after a poll. A poll that failed, and
// in which nothing else was active, moves nothing.
func (a *activation) check(now time.Time, spec int, active, failed bool) int {
	switch {
	case active:
		a.lastActive = now
		if spec == 0 {
			return max(1, a.min)
		}
	case failed || a.min > 0:
	case now.Sub(a.lastActive) >= a.cooldown:
		return 0
	}
	return spec
}

// sleepsAt returns when a fleet that stays inactive goes to zero; ok is false
// where it never does.
func (a *activation) sleepsAt() (at time.Time, ok bool) {
	return a.lastActive.Add(a.cooldown), a.min == 0
}
