package scenarios

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// gracefulLanding goes from any size to one first, and from there to zero.
func gracefulLanding(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{Fleet: stage.Fleet{Replicas: 9}})
	s.Work(4)
	s.Scale(ctx, stage.Object{Min: 0, Max: 50, Triggers: []stage.Trigger{{Metadata: map[string]string{"gracefulLanding": "true"}}}})
	s.Stays(ctx, 3*time.Second)
	s.Work(0)
	s.Becomes(ctx, 0)
	s.Stays(ctx, 5*time.Second)
	s.Went(9, 1, 0)
}

// paused sees that a paused ScaledObject is left alone, and that it goes on where
// it is when the pause ends.
func paused(t *testing.T, w stage.World) {
	const pause, at = "autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"
	s, ctx := stage.New(t, w, stage.Options{})
	s.Work(2)
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{}}})
	s.Stays(ctx, 2*time.Second)
	s.Annotate(ctx, pause, "true")
	s.Condition(ctx, "Paused", "True")
	s.Stays(ctx, 3*time.Second) // the HPA is gone, but may be at work for the last time
	s.Work(3.2)
	s.Stays(ctx, 5*time.Second)
	s.Annotate(ctx, at, "6")
	s.Becomes(ctx, 6)
	s.Stays(ctx, 3*time.Second)
	s.Work(5.2) // at six the load is 0.87
	s.Stays(ctx, 3*time.Second)
	s.Annotate(ctx, at, "")
	s.Annotate(ctx, pause, "")
	s.Becomes(ctx, 18)
	s.HPAWants(ctx, 18)
	s.Stays(ctx, 3*time.Second)
	s.Went(4, 6, 18)
}

// tolerance wants a few more than twenty. What the HPA would ignore is made the
// smallest step that it does not; with a lower tolerance it is done as it is.
func tolerance(replicas int, busy float64, lowered bool, want int) func(*testing.T, stage.World) {
	return func(t *testing.T, w stage.World) {
		s, ctx := stage.New(t, w, stage.Options{Fleet: stage.Fleet{Replicas: replicas}})
		s.Work(10)
		up := map[string]any{"stabilizationWindowSeconds": int64(0)}
		if lowered {
			up["tolerance"] = "0.01"
		}
		s.Scale(ctx, stage.Object{
			Min: 1, Max: 50, Behavior: map[string]any{"scaleUp": up},
			Triggers: []stage.Trigger{{Metadata: map[string]string{"scaleUpThreshold": "0.45", "triggerThreshold": "54"}}},
		})
		s.Stays(ctx, 3*time.Second)
		s.Work(busy)
		if want != replicas {
			s.Becomes(ctx, want)
		}
		s.Stays(ctx, 6*time.Second)
		s.HPAWants(ctx, want)
		quiet(t, s)
	}
}
