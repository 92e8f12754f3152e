package stage

import (
	"context"
	"sync"

	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// model publishes the numbers of the fleet: with a given amount of work, in busy
// workers, the yield follows from how many there are. Both are in one scrape.
type model struct {
	s *Stage

	mu   sync.Mutex
	work float64
	off  bool // the test sets the yield itself
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
	switch {
	case m.off:
	case ready == 0:
		m.s.Prometheus.Unset(m.s.series("zmy"))
	default:
		values[m.s.series("zmy")] = max(0, 1-m.work/float64(ready))
	}
	m.s.Prometheus.Set(values)
}

// Work gives the fleet an amount of work, in busy workers.
func (s *Stage) Work(busy float64) {
	s.model.mu.Lock()
	s.model.work, s.model.off = busy, false
	s.model.mu.Unlock()
	s.model.publish()
}

// Yield sets the yield, whatever the fleet does.
func (s *Stage) Yield(v float64) {
	s.model.mu.Lock()
	s.model.off = true
	s.model.mu.Unlock()
	s.Prometheus.Set(map[string]float64{s.series("zmy"): v})
}

// Number sets another series of this namespace.
func (s *Stage) Number(name string, v float64) {
	s.Prometheus.Set(map[string]float64{s.series(name): v})
}

// Query returns the PromQL for a series of this namespace.
func (s *Stage) Query(name string) string { return s.series(name) }
