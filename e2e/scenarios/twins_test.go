package scenarios

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// resolves is how long gRPC goes without asking for a name again, whatever
// happens to its connections.
const resolves = 31 * time.Second

// twins puts two scalers behind one name. One is killed and comes back, then both
// are rolled. Nothing moves that should not, and the HPA sees no error.
func twins(metricType string) func(*testing.T, stage.World) {
	return func(t *testing.T, w stage.World) {
		s, ctx := stage.New(t, w, stage.Options{Scaler: cluster.ScalerOptions{Replicas: 2}})
		s.Work(2)
		s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{MetricType: metricType}}})
		s.Stays(ctx, 5*time.Second)
		must(t, s.Scaler.Kill(ctx, 1))
		s.Stays(ctx, 5*time.Second)
		s.Work(3.2)
		s.Becomes(ctx, 11) // on one
		must(t, s.Scaler.Start(ctx, 1))
		s.Stays(ctx, resolves)
		must(t, s.Scaler.Roll(ctx))
		s.Stays(ctx, 5*time.Second)
		s.Work(0.8)
		s.Becomes(ctx, 2) // on two that have seen none of it
		s.HPAWants(ctx, 2)
		s.Stays(ctx, 3*time.Second)
		s.Went(4, 11, 2)
		quiet(t, s)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
