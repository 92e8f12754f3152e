// Package defaults has the scenarios that run with the HPA's own rhythm: it looks
// every 15 seconds, and shrinks to what was the highest recommendation for five
// minutes.
package defaults

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/harness"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(context.Background(), m)) }

// turn is how often the HPA looks.
const turn = 15 * time.Second

// TestDefaults boots one cluster for all scenarios.
func TestDefaults(t *testing.T) {
	c := harness.Boot(t, harness.Speed{Sync: turn, Downscale: 5 * time.Minute})
	shared, err := c.Prometheus(t.Context(), "default", "prometheus")
	if err != nil {
		t.Fatal(err)
	}
	world := stage.World{Cluster: c, Prometheus: shared}
	t.Run("up and down", func(t *testing.T) {
		t.Parallel()
		upAndDown(t, world)
	})
	t.Run("closed loop with Value", func(t *testing.T) {
		t.Parallel()
		closedLoop(t, world, stage.Trigger{Type: "external-push"})
	})
	t.Run("closed loop with AverageValue", func(t *testing.T) {
		t.Parallel()
		// The workers are those that Kubernetes counts.
		closedLoop(t, world, stage.Trigger{Type: "external-push", MetricType: "AverageValue", Metadata: map[string]string{"replicasQuery": ""}})
	})
	t.Run("300 ScaledObjects", func(t *testing.T) {
		t.Parallel()
		many(t, world)
	})
}

// upAndDown leaves KEDA and the HPA all their defaults. Eleven are wanted; the HPA
// doubles at most, and eight are enough to hold. The way down waits for the
// trigger's delay, and then for the HPA's.
func upAndDown(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{Patience: 15 * time.Minute})
	s.Work(2)
	s.Scale(ctx, stage.Object{
		Min: 1, Max: 50, PollingInterval: 30, CooldownPeriod: 300, Behavior: map[string]any{},
		Triggers: []stage.Trigger{{Metadata: map[string]string{"scaleDownDelay": "30s"}}},
	})
	s.Stays(ctx, 40*time.Second)
	s.Work(3.2)
	s.Becomes(ctx, 8)
	s.HPAWants(ctx, 8)
	s.Stays(ctx, 40*time.Second)
	s.Work(0.6)
	began := time.Now()
	s.Stays(ctx, 5*time.Minute)
	s.BecomesWithin(ctx, 2*time.Minute, 1)
	t.Logf("scaled down after %v: the trigger's 30 s and the HPA's 300 s", time.Since(began).Round(time.Second))
	s.HPAWants(ctx, 1)
	s.Went(4, 8, 1)
	if trouble := s.Trouble(); len(trouble) > 0 {
		t.Errorf("the HPA complained: %q", trouble)
	}
}
