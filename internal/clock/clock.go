// Package clock tells the time, which may run faster than the wall's: the demo
// shows an hour in a minute with the very code that serves production.
package clock

import "time"

// Clock tells a time that starts at some instant and runs at some speed. The
// zero Clock is the wall's.
type Clock struct {
	epoch, start time.Time
	speed        float64
}

// Real returns the wall's clock.
func Real() Clock { return Clock{} }

// Scaled returns a clock that shows epoch now and runs speed times as fast as
// the wall's.
func Scaled(epoch time.Time, speed float64) Clock {
	return Clock{epoch: epoch, start: time.Now(), speed: speed}
}

// Now returns the time.
func (c Clock) Now() time.Time {
	if c.speed == 0 {
		return time.Now()
	}
	return c.epoch.Add(time.Duration(float64(time.Since(c.start)) * c.speed))
}

// NewTimer returns a timer that fires once d has passed on this clock.
func (c Clock) NewTimer(d time.Duration) *time.Timer { return time.NewTimer(c.Wall(d)) }

// Wall returns how long d takes on the wall's clock.
func (c Clock) Wall(d time.Duration) time.Duration {
	if c.speed == 0 {
		return d
	}
	return time.Duration(float64(d) / c.speed)
}
