package scenarios

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// target scales something that is no Deployment. The scaler reads how many
// replicas it has and which pods are its own.
func target(kind string) func(*testing.T, stage.World) {
	return func(t *testing.T, w stage.World) {
		s, ctx := stage.New(t, w, stage.Options{Fleet: stage.Fleet{Kind: kind}})
		s.Work(2)
		s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{}}})
		s.Stays(ctx, 5*time.Second)
		s.Work(3.2)
		s.Becomes(ctx, 11)
		s.HPAWants(ctx, 11)
		s.Stays(ctx, 3*time.Second)
		s.Work(0.8)
		s.Becomes(ctx, 2)
		s.HPAWants(ctx, 2)
		s.Stays(ctx, 3*time.Second)
		s.Went(4, 11, 2)
		quiet(t, s)
	}
}
