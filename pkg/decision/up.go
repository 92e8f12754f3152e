package decision

import (
	"math"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// maxHistoryHold bounds how long an unseen scaling keeps scale-ups back.
const maxHistoryHold = 2 * time.Minute

// up decides for a yield below Up at tick t. d holds until told otherwise.
func up(p *Policy, w *zmy.Window, f Fleet, t zmy.Tick, d *Decision) {
	since, held := row(w.Of(zmy.Yield), t, p.Grid.Steps(p.UpDelay), false, p.saturated)
	d.Since, d.Delay = p.Grid.Time(since), p.UpDelay
	_, workers, work, known := p.heaviest(w, t, t)
	d.Workers, d.Work = workers, work
	if known {
		d.CPU = p.cpu(w, t)
		d.Pressure = p.pressure(1-d.Yield.Value, d.CPU)
		d.Want = float64(workers * d.Pressure)
	}
	switch {
	case !held:
		d.Reason = SaturatedPending
	case !known:
		d.Reason = WorkersUnknown
	case d.Pressure <= 1:
		d.Reason = NotCPUBound
	case d.At.Before(f.UnseenScale.Add(min(p.Lookback, maxHistoryHold))):
		d.Reason = HistoryUnknown
	default:
		d.Desired, d.Reason = grow(f, d.Want)
		if d.Desired > f.Spec.N {
			d.Band = ScaleUp
		}
	}
}

// grow returns the size for an unrounded want, and why.
func grow(f Fleet, want float64) (int, Reason) {
	r, tol := f.Spec.N, f.Tolerance.Up
	size := int(min(ceil(want), math.MaxInt32))
	switch {
	case size <= r:
		return r, WorkersStarting
	case f.bound(size) <= r:
		return r, AtMax
	case want <= float64(float64(r)*(1+tol/2)):
		return r, UpWithinTolerance
	}
	return max(f.bound(size), smallestStep(r, tol)), Saturated
}

// cpu returns the newest CPU sample at or before t that is not stale.
func (p *Policy) cpu(w *zmy.Window, t zmy.Tick) Reading {
	if !p.HasCPU {
		return Reading{}
	}
	s, k, ok := w.Of(zmy.CPU).Newest(t-zmy.Tick(p.Grid.Steps(p.MaxStaleness)), t)
	if !ok {
		return Reading{}
	}
	return p.reading(s, k)
}

// pressure is the load over the target, with the CPU weighed in where it is known.
func (p *Policy) pressure(load float64, cpu Reading) float64 {
	weight := 0.0
	if cpu.OK {
		weight = p.CPUWeight
	}
	return float64(weight*cpu.Value/p.CPUTarget) + float64((1-weight)*load/p.Target)
}
