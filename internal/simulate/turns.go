package simulate

import (
	"time"

	"github.com/infra-arch/zmy-scaler/internal/autoscaler"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Scrape is what is sampled of the fleet at one tick.
type Scrape struct {
	// Yield is missing where no worker is ready.
	Yield zmy.Sample
	// Ready is how many workers are able to work.
	Ready int
	// Waiting is how much work waits, in seconds of one worker.
	Waiting float64
	// CPU, Wake and Guard are Unasked where nothing was recorded. Wake is above
	// 0 while work waits, whatever was recorded.
	CPU, Wake, Guard zmy.Sample
}

func (r *run) time() time.Time { return r.Demand.Start.Add(r.now) }

// advance lets the fleet work.
func (r *run) advance(to time.Duration) {
	if to <= r.now {
		return
	}
	before := r.last
	r.busy = r.Demand.mean(r.now, to)
	r.last = r.workers.StepTo(to)
	r.tally.worked(to-r.now, before, r.last)
	r.now = to
}

// take samples the fleet.
func (r *run) take() {
	s := Scrape{Yield: zmy.Sample{State: zmy.Missing}, Ready: r.last.Ready, Waiting: r.last.Backlog}
	if y, ok := r.last.Yield(); ok {
		s.Yield = zmy.Ratio.Sample(y)
	}
	r.recorded(&s)
	r.control.Scraped(r.tick, s)
	r.tick++
	r.scrape += r.Grid.Interval()
}

// recorded adds what does not follow from the demand. The CPU that the work took
// is shared by the workers that there are.
func (r *run) recorded(s *Scrape) {
	if rec := r.Recorded; rec != nil {
		i := int(r.tick - rec.First)
		s.Wake, s.Guard = sampleAt(rec.Wake, i), sampleAt(rec.Guard, i)
		s.CPU = sampleAt(rec.CPU, i)
		if n := sampleAt(rec.Workers, i); s.CPU.OK() && n.OK() && s.Ready > 0 {
			s.CPU.Value *= n.Value / float64(s.Ready)
		}
	}
	if !s.Wake.OK() || s.Wake.Value == 0 {
		s.Wake = zmy.Amount.Sample(s.Waiting)
	}
}

func sampleAt(samples []zmy.Sample, i int) zmy.Sample {
	if i < 0 || i >= len(samples) {
		return zmy.Sample{}
	}
	return samples[i]
}

// judge has the controller decide.
func (r *run) judge() {
	f := r.fleet()
	r.control.Decide(r.judged, f)
	r.judged++
	r.decide += r.Grid.Interval()
	if r.watch != nil {
		r.watch.Tick(Moment{
			At: r.time(), Demand: r.last.Demand, Waiting: r.last.Backlog,
			Spec: r.last.Spec, Ready: r.last.Ready, Why: r.control.Why(),
		})
	}
	if r.Push {
		r.push(f)
	}
}

// beat is how often a push says again that a fleet is active.
const beat = 30 * time.Second

// push tells KEDA of activity: when it begins, and now and again while it goes on.
func (r *run) push(f decision.Fleet) {
	active, failed := r.control.Active(r.time(), f)
	if failed || active && r.pushed && r.now-r.pushedAt < beat {
		return
	}
	r.pushed, r.pushedAt = active, r.now
	if active {
		r.scale(r.keda.Check(r.time(), r.last.Spec, true, false), ByKEDA)
	}
}

// look is a turn of KEDA's scale loop.
func (r *run) look() {
	r.poll += r.Polling
	if !r.keda.Matters(r.last.Spec) {
		return
	}
	active, failed := r.control.Active(r.time(), r.fleet())
	r.scale(r.keda.Check(r.time(), r.last.Spec, active, failed), ByKEDA)
}

// turn is a turn of the HPA.
func (r *run) turn() {
	f := r.fleet()
	counts := autoscaler.Counts{Spec: f.Spec.N, Status: f.Status.N, Ready: f.Ready.N}
	r.scale(r.hpa.Sync(r.time(), counts, r.control.Metric(r.time(), f)), ByHPA)
	r.sync += autoscaler.SyncPeriod
}

func (r *run) scale(to int, by Actor) {
	from := r.last.Spec
	if to == from {
		return
	}
	r.workers.SetReplicas(to)
	r.last = r.workers.Read()
	r.tally.changed(r.now, from, to)
	if r.watch != nil {
		r.watch.Change(Change{At: r.time(), From: from, To: to, By: by, Why: r.control.Why()})
	}
}

// fleet is what Kubernetes tells.
func (r *run) fleet() decision.Fleet {
	spec := decision.Known(r.last.Spec)
	return decision.Fleet{
		Spec: spec, Status: spec, Ready: decision.Known(r.last.Ready),
		Min: r.Min, Max: r.Max, Tolerance: autoscaler.Tolerance(r.Behavior),
	}
}
