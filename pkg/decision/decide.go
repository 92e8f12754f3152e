package decision

import (
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Decide returns what the fleet should be at grid instant at. It depends on
// nothing but its arguments, and on no sample later than at or older than
// p.Ticks() before it. It allocates nothing.
func Decide(p *Policy, w *zmy.Window, f Fleet, at zmy.Tick) Decision {
	d := Decision{At: p.Grid.Time(at), Band: Hold, Desired: f.Spec.N}
	d.Replicas = f.Spec
	t, fresh := observe(p, w, at, &d.Evidence)
	switch {
	case f.Spec.Known && f.Spec.N == 0:
		atZero(p, f, &d, fresh)
	case !fresh:
		d.Reason = blindness(&d)
		keepWant(p, w, f, t, &d)
	case !f.Spec.Known:
		d.Reason = ReplicasUnknown
	case p.saturated(d.Yield.Value):
		up(p, w, f, t, &d)
	case p.idle(d.Yield.Value):
		down(p, w, f, t, &d)
	default:
		d.Reason = Steady
		_, d.Workers, d.Work, _ = p.heaviest(w, t, t)
	}
	return d
}

// The conditions of the bands, each written once. The boundaries belong to the
// middle, but for the inactive one.

func (p *Policy) saturated(yield float64) bool   { return yield < p.Up }
func (p *Policy) nothingToDo(yield float64) bool { return yield >= p.Inactive }
func (p *Policy) idle(yield float64) bool {
	return yield > p.Down || p.nothingToDo(yield)
}

// observe reads the newest samples into the evidence. It returns the tick of
// the newest good yield, and whether that is fresh enough to decide on.
func observe(p *Policy, w *zmy.Window, at zmy.Tick, e *Evidence) (t zmy.Tick, fresh bool) {
	stale := zmy.Tick(p.Grid.Steps(p.MaxStaleness))
	e.Newest = w.Of(zmy.Yield).At(at).State
	y, t, ok := w.Of(zmy.Yield).Newest(at-zmy.Tick(p.Ticks())+1, at)
	if ok {
		e.Yield = p.reading(y, t)
	}
	fresh = ok && t >= at-stale
	// Where nothing was answered since, what is decided on is still partial.
	oldest := at
	if fresh {
		oldest = t
	}
	for role := range zmy.NumRoles {
		for k := oldest; k <= at; k++ {
			e.Partial = e.Partial || w.Of(role).At(k).Partial
		}
	}
	if p.HasWake {
		if s, k, ok := w.Of(zmy.Wake).Newest(at-stale, at); ok {
			e.Wake = p.reading(s, k)
		}
	}
	if p.HasGuard {
		// A guard counts at the instant itself only: a permission to scale
		// down is not carried over a gap.
		if s := w.Of(zmy.Guard).At(at); s.OK() {
			e.Guard = p.reading(s, at)
		}
	}
	return t, fresh
}

func (p *Policy) reading(s zmy.Sample, k zmy.Tick) Reading {
	return Reading{Value: s.Value, At: p.Grid.Time(k), OK: true, Partial: s.Partial}
}

// blindness says why there is no fresh yield.
func blindness(d *Decision) Reason {
	switch {
	case d.Newest.Bad():
		return BadData
	case d.Yield.OK:
		return StaleData
	}
	return NoData
}

// atZero decides for a fleet without replicas. A missing yield is no fault
// there. Partial data does not wake.
func atZero(p *Policy, f Fleet, d *Decision, fresh bool) {
	d.Band, d.Reason, d.Desired = Inactive, AbsentAtZero, 0
	switch {
	case d.Wake.OK && d.Wake.Value > 0 && !d.Wake.Partial:
		d.Reason = WokenByQuery
	case fresh && !d.Yield.Partial && !p.nothingToDo(d.Yield.Value):
		d.Reason = WokenByYield
	default:
		return
	}
	d.Band, d.Desired = ScaleUp, max(1, f.Min)
}

// keepWant lets a scale-up that was decided outlast the data it was decided on,
// where the replica count is a sample as old as that data: the HPA may have
// acted since, and holding the old count would take the new workers away.
func keepWant(p *Policy, w *zmy.Window, f Fleet, t zmy.Tick, d *Decision) {
	if !d.Yield.OK || !f.Spec.Known || f.SpecAt.IsZero() || f.SpecAt.After(d.Yield.At) || !p.saturated(d.Yield.Value) {
		return
	}
	last := *d
	up(p, w, f, t, &last)
	if last.Band == ScaleUp {
		d.Desired = last.Desired
	}
}

// stride is how many ticks of a row are looked at together.
const stride = 32

// row walks back from t over the yields that satisfy cond, at most n ticks. It
// returns the oldest tick of the row and whether the row is n ticks long. One
// missing tick inside the row, between two that satisfy it, is forgiven. Rising tells
// that a higher yield satisfies the condition where a lower one does.
func row(s *zmy.Series, t zmy.Tick, n int, rising bool, cond func(float64) bool) (since zmy.Tick, held bool) {
	since = t
	gap := false
	for k := t - 1; k >= t-zmy.Tick(n); k-- {
		// A yield that satisfies a condition of idleness satisfies it with any
		// higher one, so that the lowest of many speaks for all.
		if since == k+1 && rising && k-stride >= t-zmy.Tick(n) {
			if least, good := s.Least(k-stride+1, k); good == stride && cond(least) {
				k -= stride - 1
				since = k
				continue
			}
		}
		v := s.At(k)
		switch {
		case !v.OK() && gap, v.OK() && !cond(v.Value):
			return since, false
		case !v.OK():
			gap = true
		default:
			since = k
		}
	}
	return since, since == t-zmy.Tick(n)
}

// bound keeps a size inside the ScaledObject's bounds, where they are known.
func (f *Fleet) bound(n int) int {
	n = max(n, 1, f.Min)
	if f.Max > 0 {
		n = min(n, max(1, f.Max))
	}
	return n
}
