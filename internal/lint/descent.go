package lint

import (
	"time"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/simulate"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// descentLasts is how long a fleet on its way down is watched.
const descentLasts = 6 * time.Hour

// largestReplay is as many pods as Kubernetes is made for. A larger fleet takes the same
// ways down, and far longer to replay.
const largestReplay = 150_000

// full is the size that descents begin at.
func (o *object) full() int { return min(o.MaxReplicas, largestReplay) }

// descent is how a fleet with little to do became smaller.
type descent struct {
	// size is the one it came to, last when it changed for the last time.
	size int
	last time.Duration
}

// descents are the same descent twice: as the HPA's behavior lets it happen, and
// with an HPA that takes every step whole and at once.
type descents struct{ real, free descent }

// descend replays a full fleet whose work suddenly is a share of its size, and stays
// so. The trigger's other queries are left out: nothing but the yield speaks. The
// fleet does not go below one worker, since the ways to zero are KEDA's. It is not
// ok where there is nothing to replay.
func (s *subject) descend(share float64) (d descents, ok bool) {
	free := manifest.DefaultBehavior()
	free.Given, free.Down.Window, free.Down.Tolerance = true, 0, s.of.Behavior.Down.Tolerance
	for _, run := range []struct {
		behavior manifest.Behavior
		into     *descent
	}{{s.of.Behavior, &d.real}, {free, &d.free}} {
		t := bare(s.trigger)
		size := s.of.full()
		start := time.Unix(0, 0).UTC()
		*run.into = descent{size: size}
		err := s.of.replay(simulate.Loop{
			Demand:   simulate.Demand{Start: start, Step: descentLasts, Busy: []float64{float64(float64(size) * share)}},
			Replicas: size, Min: min(max(1, s.of.MinReplicas), size), Max: size,
			Polling: s.of.PollingInterval, Behavior: run.behavior, Grid: t.Policy.Grid,
		}, simulate.NewLaw(&t, decision.Value, start), &recorder{start, run.into})
		if err != nil {
			return descents{}, false
		}
	}
	return d, true
}

// recorder keeps the last change of a replay.
type recorder struct {
	start time.Time
	into  *descent
}

// Tick implements [simulate.Watcher].
func (*recorder) Tick(simulate.Moment) {}

// Change implements [simulate.Watcher].
func (r *recorder) Change(c simulate.Change) {
	*r.into = descent{size: c.To, last: c.At.Sub(r.start)}
}

// bare returns a trigger without the queries that could speak against the yield.
func bare(t *trigger.Trigger) trigger.Trigger {
	b := *t
	p := &b.Policy
	p.HasCPU, p.HasWorkers, p.HasWake, p.HasGuard, p.GracefulLanding = false, false, false, false, true
	return b
}

// first returns what the law decides for a large fleet at a yield that has been
// steady for long enough. Without bounds, and with so many workers that rounding
// does not count, it is what the thresholds alone say.
func (s *subject) first(yield float64) decision.Decision {
	const size = 10_000
	p := bare(s.trigger).Policy
	p.HasWorkers = true
	w := zmy.Window{Grid: p.Grid}
	w.Series[zmy.Yield], w.Series[zmy.Workers] = zmy.NewSeries(p.Ticks()), zmy.NewSeries(p.Ticks())
	at := zmy.Tick(0)
	for range p.Ticks() {
		at++
		w.Series[zmy.Yield].Set(at, zmy.Ratio.Sample(yield))
		w.Series[zmy.Workers].Set(at, zmy.Amount.Sample(size))
	}
	known := decision.Known(size)
	return decision.Decide(&p, &w, decision.Fleet{Spec: known, Status: known, Ready: known, Tolerance: s.tolerance()}, at)
}
