package scenarios

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// prometheusStops takes the data away. The fleet holds; past holdFor the
// ScaledObject's own fallback applies; and when the data is back, so is the fleet.
func prometheusStops(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{OwnPrometheus: true})
	s.Work(2)
	s.Scale(ctx, stage.Object{
		Min: 1, Max: 50,
		Triggers: []stage.Trigger{{Metadata: map[string]string{"maxStaleness": "3s", "holdFor": "15s"}}},
		More:     map[string]any{"fallback": map[string]any{"failureThreshold": int64(2), "replicas": int64(6)}},
	})
	s.Stays(ctx, 3*time.Second)
	// Prometheus may take seconds to stop, while holdFor counts from the last sample.
	stopping := time.Now()
	must(t, s.Prometheus.Stop(ctx))
	s.Stays(ctx, time.Until(stopping.Add(10*time.Second)))
	s.Becomes(ctx, 6)
	t.Logf("fallback after %v", time.Since(stopping))
	s.Condition(ctx, "Fallback", "True")
	s.Stays(ctx, 3*time.Second)
	must(t, s.Prometheus.Start(ctx))
	s.Condition(ctx, "Fallback", "False")
	s.Stays(ctx, 5*time.Second)
	s.Work(3.6)
	s.Becomes(ctx, 6) // 0.6: holds
	s.Work(4.8)       // 0.8 of six
	s.Becomes(ctx, 16)
	s.HPAWants(ctx, 16)
	s.Went(4, 6, 16)
}

// scalerStops takes the scaler away. Nothing moves, and when it is back it wakes
// the fleet by itself, long before KEDA would have asked.
func scalerStops(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{})
	s.Work(2)
	s.Number("wake", 0)
	const poll = 100 // s
	object := stage.Object{Min: 0, Max: 50, Triggers: []stage.Trigger{{
		Type: "external-push", Metadata: map[string]string{"wakeQuery": s.Query("wake"), "gracefulLanding": "true"},
	}}}
	s.Scale(ctx, object)
	s.Stays(ctx, 3*time.Second)
	must(t, s.Scaler.Stop(ctx, 0))
	s.Stays(ctx, 10*time.Second)
	must(t, s.Scaler.Start(ctx, 0))
	s.Stays(ctx, 5*time.Second)
	s.Work(0)
	s.Becomes(ctx, 0)
	object.PollingInterval = poll
	s.Apply(ctx, object)
	s.Stays(ctx, 5*time.Second)
	must(t, s.Scaler.Stop(ctx, 0))
	s.Stays(ctx, 3*time.Second)
	must(t, s.Scaler.Start(ctx, 0))
	s.Work(1)
	s.Number("wake", 5)
	back := time.Now()
	s.Becomes(ctx, 4)
	t.Logf("woken %v after the restart, with a polling interval of %d s", time.Since(back).Round(time.Millisecond), poll)
	s.Went(4, 1, 0, 1, 4)
}

// scalerComesLate starts the scaler when the ScaledObject is there already. The HPA
// then has our metric and never had another.
func scalerComesLate(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{Scaler: cluster.ScalerOptions{Stopped: true}})
	s.Work(2)
	s.Apply(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{}}})
	s.Condition(ctx, "Ready", "False")
	s.Stays(ctx, 5*time.Second)
	must(t, s.Scaler.Start(ctx, 0))
	began := time.Now()
	s.HPAWorks(ctx)
	t.Logf("the HPA works %v after the scaler was ready", time.Since(began).Round(time.Millisecond))
	if metrics := s.Metrics(); len(metrics) != 1 || metrics[0] != "s0-zmy" {
		t.Errorf("the HPA had the metrics %q, want s0-zmy only", metrics)
	}
	s.Work(3.2)
	s.Becomes(ctx, 11)
	s.HPAWants(ctx, 11)
	s.Went(4, 11)
}
