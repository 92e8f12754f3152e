package demo

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/fleet"
	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// stepEvery is how often the fleets work on, scrapeEvery how often Prometheus
// looks at them.
const (
	stepEvery   = 5 * time.Second
	scrapeEvery = 15 * time.Second
)

// world is the simulated cluster. As an app.Cluster it tells the scaler what
// Kubernetes would.
type world struct {
	members []*member
	byName  map[string]*member

	mu  sync.Mutex
	now time.Time // of the last step
}

// member is one workload of the world.
type member struct {
	workload

	fleet *fleet.Fleet
	// exported are the metrics of the last scrape, guarded by the world's mu.
	exported map[string]bool
}

// metric returns the name of a trigger's metric.
func (m *member) metric(i int) string {
	return cmp.Or(m.triggers[i].metadata["metricName"], "zmy")
}

// newWorld returns the workloads as they are preload before start.
func newWorld(workloads []workload, start time.Time) (*world, error) {
	w := &world{byName: map[string]*member{}, now: start.Add(-preload)}
	for _, load := range workloads {
		load.fleet.Start = w.now
		f, err := fleet.New(load.fleet)
		if err != nil {
			return nil, err
		}
		m := &member{workload: load, fleet: f}
		w.members = append(w.members, m)
		w.byName[load.name] = m
	}
	return w, nil
}

// advance steps the fleets up to now and scrapes them where that is due. It
// makes every step that it is late for.
func (w *world) advance(now time.Time, scrape func(time.Time) error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		next := w.now.Add(stepEvery)
		if next.After(now) {
			return nil
		}
		for _, m := range w.members {
			m.fleet.Step(next)
		}
		w.now = next
		if next.UnixNano()%int64(scrapeEvery) == 0 {
			if err := scrape(next); err != nil {
				return err
			}
		}
	}
}

// Look tells what Kubernetes knows of a ScaledObject.
func (w *world) Look(_ context.Context, ns, name string, metadata map[string]string) kube.View {
	tolerance := decision.Tolerance{Down: decision.DefaultTolerance, Up: decision.DefaultTolerance}
	m, ok := w.byName[name]
	if !ok || ns != namespace {
		return kube.View{Known: true, Fleet: decision.Fleet{Tolerance: tolerance}}
	}
	r := m.fleet.Read()
	view := kube.View{
		Found: true, Known: true, UID: "demo-" + name,
		Target: "deployments.apps/" + name, HPA: "keda-hpa-" + name,
		Fleet: decision.Fleet{
			Spec: decision.Known(r.Spec), Status: decision.Known(r.Spec), Ready: decision.Known(r.Ready),
			Min: m.min, Max: m.max, Tolerance: tolerance, Accompanied: len(m.triggers) > 1,
		},
	}
	i := slices.IndexFunc(m.triggers, func(t triggerSpec) bool { return maps.Equal(t.metadata, metadata) })
	if i >= 0 {
		view.MetricType, view.MetricTypeKnown = m.triggers[i].metricType, true
	}
	return view
}

// Forget does nothing: the world knows all of its objects anyway.
func (w *world) Forget(string, string) {}

// Run waits for ctx: what changes the world runs elsewhere.
func (w *world) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
