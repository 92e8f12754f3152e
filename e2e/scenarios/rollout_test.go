package scenarios

import (
	"slices"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// rollout replaces all workers, with surge, while the fleet holds. With Value
// nothing moves. With AverageValue the HPA may keep pods of the surge, as the docs
// say: never more than the surge, and never fewer than there were.
func rollout(metricType string) func(*testing.T, stage.World) {
	return func(t *testing.T, w stage.World) {
		const replicas, surge = 10, 3 // 25 %, rounded up
		s, ctx := stage.New(t, w, stage.Options{Fleet: stage.Fleet{Replicas: replicas, ReadyAfter: "2s"}})
		s.Work(5)
		s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{MetricType: metricType}}})
		s.Stays(ctx, 3*time.Second)
		s.Rollout(ctx, "2")
		s.RolledOut(ctx)
		if metricType == "Value" {
			s.Stays(ctx, 5*time.Second)
			s.Went(replicas)
			// The target itself, which means spec.replicas however many are ready: a
			// usage that goes by the ready ones is right only as long as the HPA
			// counts as many.
			if usages := s.Usages(); !slices.Equal(usages, []string{"30"}) {
				t.Errorf("the HPA was told usages of %v, want 30 alone", usages)
			}
			quiet(t, s)
			return
		}
		sizes := s.Sizes()
		t.Logf("spec.replicas went %v", sizes)
		if slices.Min(sizes) < replicas || slices.Max(sizes) > replicas+surge {
			t.Errorf("spec.replicas went %v, want between %d and %d", sizes, replicas, replicas+surge)
		}
		quiet(t, s)
	}
}

// slowStart grows a fleet whose new pods take a while. Until they are ready the
// count stays what it was made: it neither shrinks nor grows once more.
func slowStart(metricType string) func(*testing.T, stage.World) {
	return func(t *testing.T, w stage.World) {
		s, ctx := stage.New(t, w, stage.Options{Fleet: stage.Fleet{ReadyAfter: "12s"}})
		s.Work(2)
		s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{MetricType: metricType}}})
		s.Stays(ctx, 3*time.Second)
		s.Work(3.2)
		s.Until(ctx, 11)
		if ready := s.Ready(); ready != 4 {
			t.Errorf("%d replicas are ready already", ready)
		}
		s.Stays(ctx, 10*time.Second)
		s.Becomes(ctx, 11)
		s.HPAWants(ctx, 11)
		s.Stays(ctx, 3*time.Second)
		s.Went(4, 11)
		quiet(t, s)
	}
}
