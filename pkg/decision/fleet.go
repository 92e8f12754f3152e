package decision

import (
	"math"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Count is a number of replicas that may be unknown.
type Count struct {
	N     int
	Known bool
}

// Known returns a known count.
func Known(n int) Count { return Count{N: n, Known: true} }

// DefaultTolerance is the HPA's default: ratios within 10 % of 1 are ignored.
const DefaultTolerance = 0.1

// Tolerance is the band of ratios around 1, [1-Down, 1+Up] inclusive, that the
// HPA ignores.
type Tolerance struct {
	Down, Up float64
}

// Fleet is what is known of the workers now.
type Fleet struct {
	// Spec is the target's spec.replicas, the count the HPA sets.
	Spec Count
	// Status is the target's status.replicas, which includes the surge of a
	// rolling update.
	Status Count
	// Ready is how many pods are running and ready.
	Ready Count
	// SpecAt is the instant Spec was observed at, where it is a sample of
	// replicasQuery; zero for a live count from Kubernetes.
	SpecAt time.Time
	// Min and Max are the ScaledObject's bounds; 0 where unknown.
	Min, Max int
	// Tolerance is the HPA's.
	Tolerance Tolerance
	// UnseenScale is when the HPA last scaled the fleet before this process
	// began to count its workers for the trigger; zero when it did not, or where
	// the history of the workers comes from Prometheus and hides nothing.
	UnseenScale time.Time
	// Accompanied tells that the ScaledObject has other triggers beside this one.
	Accompanied bool
}

// Observed returns the fleet with its counts taken from a sample of replicasQuery,
// where Kubernetes does not tell them.
func (f Fleet) Observed(workers Reading) Fleet {
	if f.Spec.Known || !workers.OK {
		return f
	}
	n := Known(int(math.Round(min(workers.Value, math.MaxInt32))))
	f.Spec, f.Ready, f.Status = n, n, Count{}
	f.SpecAt = workers.At
	return f
}

// Workers returns the newest count of replicasQuery in the window that ends at an
// instant, however old.
func (p *Policy) Workers(w *zmy.Window, at zmy.Tick) Reading {
	if !p.HasWorkers {
		return Reading{}
	}
	s, k, ok := w.Of(zmy.Workers).Newest(at-zmy.Tick(p.Ticks())+1, at)
	if !ok {
		return Reading{}
	}
	return p.reading(s, k)
}
