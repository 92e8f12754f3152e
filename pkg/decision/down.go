package decision

import (
	"math"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// down decides for a yield above Down, or at Inactive, at tick t. d holds until
// told otherwise.
func down(p *Policy, w *zmy.Window, f Fleet, t zmy.Tick, d *Decision) {
	yield, n := w.Of(zmy.Yield), p.Grid.Steps(p.DownDelay)
	since, held := row(yield, t, n, true, p.idle)
	d.Since, d.Delay = p.Grid.Time(since), p.DownDelay
	most, workers, work, known := p.heaviest(w, since, t)
	if known {
		d.Workers, d.Work = workers, work
		d.MaxWork = Reading{Value: most, At: d.Yield.At, OK: true}
	}
	switch {
	case !held:
		d.Reason = IdlePending
	case d.Partial:
		d.Reason = PartialData
	case p.HasGuard && !d.Guard.OK:
		d.Reason = GuardMissing
	case p.HasGuard && d.Guard.Value > 0:
		d.Reason = GuardAbove
	case !known:
		d.Reason = WorkersUnknown
	default:
		d.Desired, d.Reason = p.shrink(f, most)
		if d.Desired < f.Spec.N {
			d.Band = ScaleDown
		}
		if _, idle := row(yield, t, n, true, p.nothingToDo); idle && p.nothingToDo(d.Yield.Value) && p.safe(most) == 1 {
			d.Band, d.Reason = Inactive, NothingToDo
		}
	}
}

// shrink returns the size for the heaviest work in the delay window, and why.
func (p *Policy) shrink(f Fleet, most float64) (int, Reason) {
	r := f.Spec.N
	want := 1.0
	switch p.Mode {
	case Safe:
		want = p.safe(most)
	case Floor:
	case Proportional:
		want = max(1, ceil(most/p.Target))
	}
	size := f.bound(int(min(want, math.MaxInt32)))
	switch {
	case r <= max(1, f.Min):
		return r, AtMin
	case size >= r:
		return r, WorkNeedsAll
	case float64(size)/float64(r) >= 1-f.Tolerance.Down:
		return r, DownWithinTolerance
	}
	return size, Idle
}

// safe is the smallest size whose predicted yield stays out of the scale-up band.
func (p *Policy) safe(most float64) float64 {
	return max(1, floor(most/(1-p.Up))+1)
}
