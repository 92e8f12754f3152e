package fleet

import (
	"math"
	"time"
)

// Curve is a demand over time: how many busy workers the work that arrives asks
// for, since the start of the fleet.
type Curve func(since time.Duration) float64

// Steady returns the same demand at all times.
func Steady(busy float64) Curve {
	return func(time.Duration) float64 { return busy }
}

// Bursts returns a demand of base that rises to peak for a while, at first after
// first and then again and again, every so often.
func Bursts(base, peak float64, first, length, every time.Duration) Curve {
	return func(since time.Duration) float64 {
		if since >= first && (since-first)%every < length {
			return peak
		}
		return base
	}
}

// Day returns a demand that rises from zero to peak and falls back to zero, like
// half a sine wave, and stays at zero for the night. It starts in the morning.
func Day(peak float64, day, night time.Duration) Curve {
	return func(since time.Duration) float64 {
		at := since % (day + night)
		if at < 0 {
			at += day + night
		}
		if at >= day {
			return 0
		}
		return peak * math.Sin(math.Pi*float64(at)/float64(day))
	}
}

// Later returns the curve moved to later by d.
func (c Curve) Later(d time.Duration) Curve {
	return func(since time.Duration) float64 { return c(since - d) }
}
