package stage

import (
	"context"
	"sync"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
	"github.com/infra-arch/zmy-scaler/internal/fleet"
)

// model publishes the numbers of the fleet: with a given amount of work, in busy
// workers, the yield follows from how many there are. Both are in one scrape.
type model struct {
	s *Stage

	mu      sync.Mutex
	work    float64
	workers *fleet.Fleet // what does the work, if not all of it is done at once
	off     bool         // the test sets the yield itself
}

func newModel(s *Stage) *model { return &model{s: s, off: true} }

// begin follows the fleet until the end of the test.
func (m *model) begin(ctx context.Context) {
	go func() {
		// It ends with the context, and only so.
		_ = wait.Until(ctx, "the end", func(context.Context) error {
			m.publish()
			return context.DeadlineExceeded
		})
	}()
}

// publish sets the numbers.
func (m *model) publish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ready := m.s.history.spec()
	values := map[string]float64{m.s.series("workers"): float64(ready)}
	yield, ok := max(0, 1-m.work/float64(max(1, ready))), ready > 0
	if m.workers != nil {
		m.workers.SetReplicas(ready)
		reading := m.workers.Step(time.Now())
		yield, ok = reading.Yield()
		values[m.s.series("waiting")] = reading.Waiting
	}
	switch {
	case m.off:
	case ok:
		values[m.s.series("zmy")] = yield
	default:
		m.s.Prometheus.Unset(m.s.series("zmy"))
	}
	m.s.Prometheus.Set(values)
}

// Work gives the fleet an amount of work, in busy workers.
func (s *Stage) Work(busy float64) {
	s.model.mu.Lock()
	s.model.work, s.model.workers, s.model.off = busy, nil, false
	s.model.mu.Unlock()
	s.model.publish()
}

// WorkOff gives the fleet work over time, in busy workers. What its ready workers
// cannot do waits for them, and is done later; how many tasks of a second wait is
// the series waiting.
func (s *Stage) WorkOff(busy func(time.Time) float64) {
	s.t.Helper()
	begin := time.Now()
	workers, err := fleet.New(fleet.Config{
		Start: begin, Replicas: s.Ready(), Demand: func(since time.Duration) float64 { return busy(begin.Add(since)) },
	})
	s.must(err)
	s.model.mu.Lock()
	s.model.workers, s.model.off = workers, false
	s.model.mu.Unlock()
	s.model.publish()
}

// Yield sets the yield, whatever the fleet does.
func (s *Stage) Yield(v float64) {
	s.model.mu.Lock()
	s.model.workers, s.model.off = nil, true
	s.model.mu.Unlock()
	s.Prometheus.Set(map[string]float64{s.series("zmy"): v})
}

// Number sets another series of this namespace.
func (s *Stage) Number(name string, v float64) {
	s.Prometheus.Set(map[string]float64{s.series(name): v})
}

// Query returns the PromQL for a series of this namespace.
func (s *Stage) Query(name string) string { return s.series(name) }
