package scenarios

import (
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// resolves is how long gRPC goes without asking for a name again, whatever
// happens to its connections.
const resolves = 31 * time.Second

// oneOfTwo puts two scalers behind one name and kills one of them. Nothing moves
// that should not, the other one scales alone, and the HPA sees no error.
func oneOfTwo(metricType string) func(*testing.T, stage.World) {
	return func(t *testing.T, w stage.World) {
		s, ctx := stage.New(t, w, stage.Options{Scaler: cluster.ScalerOptions{Replicas: 2}})
		s.Work(2)
		s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{MetricType: metricType}}})
		s.Stays(ctx, 5*time.Second)
		must(t, s.Scaler.Kill(ctx, 1))
		s.Stays(ctx, 5*time.Second)
		s.Work(3.2)
		s.Becomes(ctx, 11)
		must(t, s.Scaler.Start(ctx, 1))
		s.Stays(ctx, 5*time.Second)
		s.Work(0.8)
		s.Becomes(ctx, 2)
		s.HPAWants(ctx, 2)
		s.Stays(ctx, 3*time.Second)
		s.Went(4, 11, 2)
		quiet(t, s)
		s.Event(ctx, "BandChanged", "scale_down, was hold") // both saw it, and wrote to one
		for replica := range 2 {
			metrics, err := s.Scaler.Metrics(ctx, replica)
			must(t, err)
			if !strings.Contains(metrics, `zmy_scaler_events_total{result="failed"} 0`) {
				t.Errorf("replica %d could not write its Events", replica)
			}
		}
	}
}

// bothRolled replaces two scalers one after the other, as a Deployment does, under
// a fleet that holds and then shrinks on the word of two that have seen none of it.
func bothRolled(metricType string) func(*testing.T, stage.World) {
	return func(t *testing.T, w stage.World) {
		s, ctx := stage.New(t, w, stage.Options{Scaler: cluster.ScalerOptions{Replicas: 2}})
		s.Work(2)
		s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{MetricType: metricType}}})
		s.Stays(ctx, resolves)
		must(t, s.Scaler.Roll(ctx))
		s.Stays(ctx, 5*time.Second)
		s.Work(0.8) // 0.2 of each of four
		s.Stays(ctx, 2*time.Second)
		s.Work(0.3)
		s.Becomes(ctx, 1)
		s.HPAWants(ctx, 1)
		s.Stays(ctx, 3*time.Second)
		s.Went(4, 1)
		quiet(t, s)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
