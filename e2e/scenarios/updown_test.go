package scenarios

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// upHoldDown lets a fleet of four hold, grow and shrink. All sizes follow from the
// control law: 3.2 busy workers at a target load of 0.3 want 10.7, and 0.8 fit two
// workers that stay out of the scale-up band.
func upHoldDown(metricType string) func(*testing.T, stage.World) {
	return func(t *testing.T, w stage.World) {
		s, ctx := stage.New(t, w, stage.Options{})
		s.Work(2)
		s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{MetricType: metricType}}})
		s.Stays(ctx, 5*time.Second)
		s.Work(3.2)
		s.Becomes(ctx, 11)
		s.HPAWants(ctx, 11)
		s.Event(ctx, "BandChanged", "metric zmy: scale_up, was hold: the yield is below scaleUpThreshold")
		s.Stays(ctx, 5*time.Second)
		s.Work(0.8)
		s.Becomes(ctx, 2)
		s.HPAWants(ctx, 2)
		s.Stays(ctx, 5*time.Second)
		s.Went(4, 11, 2)
		quiet(t, s)
	}
}

// quiet sees that the HPA had nothing to complain of.
func quiet(t *testing.T, s *stage.Stage) {
	t.Helper()
	if trouble := s.Trouble(); len(trouble) > 0 {
		t.Errorf("the HPA complained: %q", trouble)
	}
}

// upWithoutQuery does the same where the number of workers is read from
// Kubernetes. The yield must be low for longer than it is averaged over, so that the
// size does not depend on when the work came. Until the average has followed the
// step, new workers must not be taken to have carried the load of before; on a busy
// machine they are seen seconds before their numbers, hence the long average.
func upWithoutQuery(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{})
	s.Work(2)
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{Metadata: map[string]string{
		"replicasQuery": "", "zmyQuery": "avg_over_time(" + s.Query("zmy") + "[30s])", "scaleUpDelay": "33s",
	}}}})
	s.Stays(ctx, 10*time.Second)
	s.Work(3.2)
	s.Stays(ctx, 30*time.Second)
	s.Becomes(ctx, 11)
	s.HPAWants(ctx, 11)
	s.Stays(ctx, 15*time.Second)
	s.Went(4, 11)
	quiet(t, s)
}

// cpuWeighsIn grows by load and CPU together, and not at all while more workers
// would only wait for the same thing.
func cpuWeighsIn(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{})
	s.Work(3.2)
	s.Number("cpu", 0.07)
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{Metadata: map[string]string{
		"cpuQuery": s.Query("cpu"), "cpuWeight": "0.9",
	}}}})
	s.Stays(ctx, 6*time.Second)
	s.Number("cpu", 1.05) // 0.9 * 1.05/0.7 + 0.1 * 0.8/0.3 = 1.62
	s.Becomes(ctx, 7)
	s.HPAWants(ctx, 7)
	s.Stays(ctx, 5*time.Second)
	s.Went(4, 7)
	quiet(t, s)
}
