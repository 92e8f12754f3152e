package decision

import (
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Reading is one observed number, and the grid instant it belongs to.
type Reading struct {
	Value float64
	At    time.Time
	OK    bool
	// Partial marks a number that came with warnings.
	Partial bool
}

// Evidence is what a decision rests on.
type Evidence struct {
	// Replicas is r, spec.replicas at the time of the decision.
	Replicas Count
	// Yield is the newest good yield of the window, however old.
	Yield Reading
	// Newest is the state of the yield at the grid instant itself.
	Newest zmy.State
	// Partial tells that an answer came with warnings, at the grid instant or since
	// the newest good yield.
	Partial bool
	// Workers is H, the harmonic mean of the workers over the lookback at the
	// yield's instant; Work the busy ones among them. Zero where unknown.
	Workers, Work float64
	// MaxWork is the heaviest work from Since on, which is all of the delay window
	// once the row is long enough; known for scale-downs.
	MaxWork Reading
	// CPU is the sample that weighed in, if any.
	CPU Reading
	// Pressure is the load over the target, CPU weighed in; Want the unrounded
	// number of workers that relieves it. Known for scale-ups.
	Pressure, Want float64
	// Wake and Guard are the newest usable answers of those queries.
	Wake, Guard Reading
	// Since is the oldest instant of the unbroken row the band rests on, not
	// before Delay ago; Delay is how long the row must be.
	Since time.Time
	Delay time.Duration
}

// Decision is what the fleet should be at one grid instant, and why.
type Decision struct {
	// At is the grid instant.
	At     time.Time
	Band   Band
	Reason Reason
	// Desired is the absolute number of replicas; 0 when the fleet should
	// stay at zero, or when nothing is known. For Hold it is the count at the
	// time of the decision.
	Desired int
	Evidence
}

// Remaining returns how much longer the row must last until the band is held;
// zero when it is, or when no row is pending.
func (d *Decision) Remaining() time.Duration {
	if d.Since.IsZero() {
		return 0
	}
	return max(0, d.Delay-d.Yield.At.Sub(d.Since))
}
