package zmy

import (
	"errors"
	"time"
)

// Tick numbers the instants of a [Grid]: Tick k of a grid with interval I is the
// Unix time k*I. Ticks of two grids cannot be compared.
type Tick int64

// Grid is the set of instants k*interval since the Unix epoch. Evaluating on a
// shared grid, never at "now", is what lets two scalers, and a scaler and its
// replay, ask for the very same samples.
type Grid struct {
	interval time.Duration
}

// ErrInterval is returned by [NewGrid] for an interval that is no whole, positive
// number of milliseconds, the resolution of Prometheus timestamps.
var ErrInterval = errors.New("interval must be a positive number of whole milliseconds")

// NewGrid returns the grid of the given interval.
func NewGrid(interval time.Duration) (Grid, error) {
	if interval <= 0 || interval%time.Millisecond != 0 {
		return Grid{}, ErrInterval
	}
	return Grid{interval: interval}, nil
}

// Interval returns the distance between two instants of the grid.
func (g Grid) Interval() time.Duration { return g.interval }

// At returns the newest instant at or before t.
func (g Grid) At(t time.Time) Tick {
	ns, i := t.UnixNano(), int64(g.interval)
	k := ns / i
	if ns%i < 0 {
		k--
	}
	return Tick(k)
}

// Time returns the instant of tick k, in UTC.
func (g Grid) Time(k Tick) time.Time {
	return time.Unix(0, int64(k)*int64(g.interval)).UTC()
}

// Steps returns how many whole intervals fit into d.
func (g Grid) Steps(d time.Duration) int { return int(d / g.interval) }

// StepsUp returns how many intervals it takes to cover d.
func (g Grid) StepsUp(d time.Duration) int {
	return int((d + g.interval - 1) / g.interval)
}
