package autoscaler

import "time"

// Activation is what KEDA does with IsActive: it wakes a fleet from zero, and
// takes it to zero, from any size, once it has been inactive for the cooldown.
type Activation struct {
	// Min is minReplicaCount.
	Min int
	// Idle is idleReplicaCount, the size of an inactive fleet; nil for none.
	Idle *int
	// Cooldown is cooldownPeriod.
	Cooldown time.Duration
	// LastActive is when the fleet was last seen active.
	LastActive time.Time
}

// Check returns what spec.replicas becomes after a poll. A poll that failed, and
// in which nothing else was active, moves nothing.
func (a *Activation) Check(now time.Time, spec int, active, failed bool) int {
	asleep := spec == 0 || a.Idle != nil && spec < a.Min
	switch {
	case active:
		a.LastActive = now
		if asleep {
			return max(1, a.Min)
		}
	case failed:
	case a.sleeps() && spec > a.bed():
		if now.Sub(a.LastActive) >= a.Cooldown {
			return a.bed()
		}
	case a.Idle == nil && spec < a.Min:
		return a.Min
	}
	return spec
}

// Matters reports whether a poll of a fleet of this size can move it, now or
// later: a fleet that never sleeps and has its minimum is none of KEDA's business.
func (a *Activation) Matters(spec int) bool { return a.sleeps() || spec == 0 || spec < a.Min }

// SleepsAt returns when a fleet that stays inactive goes to sleep; ok is false
// where it never does.
func (a *Activation) SleepsAt() (at time.Time, ok bool) {
	return a.LastActive.Add(a.Cooldown), a.sleeps()
}

func (a *Activation) sleeps() bool { return a.Min == 0 || a.Idle != nil }

// bed is the size of a sleeping fleet.
func (a *Activation) bed() int {
	if a.Idle != nil {
		return *a.Idle
	}
	return 0
}
