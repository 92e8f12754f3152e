// Package scenarios proves what the scaler promises on a real cluster: KEDA's
// operator, the real HPA and a real Prometheus, and the scaler with the rights that
// its manifests give it.
package scenarios

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/incluster/boot"
	"github.com/infra-arch/zmy-scaler/e2e/internal/harness"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// TestMain runs the scenarios on a control plane without nodes, or where the user
// wants real pods.
func TestMain(m *testing.M) {
	if boot.Wanted() {
		os.Exit(boot.Main(context.Background(), m))
	}
	os.Exit(harness.Main(context.Background(), m))
}

func bootCluster(t *testing.T) cluster.Cluster {
	t.Helper()
	if boot.Wanted() {
		return boot.Cluster(t)
	}
	return harness.Boot(t, harness.Speed{Sync: time.Second})
}

// scenario is one promise.
type scenario struct {
	name string
	run  func(*testing.T, stage.World)
}

// scenarios returns all of them, those first that take longest: so the last to end is
// not one that was begun late.
func scenarios() []scenario {
	return []scenario{
		{"up, hold and down without replicasQuery", upWithoutQuery},
		{"both are rolled, Value", bothRolled("Value")},
		{"both are rolled, AverageValue", bothRolled("AverageValue")},
		{"beside another trigger", besideAnother},
		{"the scaler stops", scalerStops},
		{"mutual TLS", mutualTLS},
		{"Prometheus stops", prometheusStops},
		{"slow start with AverageValue", slowStart("AverageValue")},
		{"slow start with Value", slowStart("Value")},
		{"the delay across a restart", delayAcrossRestart},
		{"the delay of a scale-down", delay},
		{"one of two is killed, Value", oneOfTwo("Value")},
		{"one of two is killed, AverageValue", oneOfTwo("AverageValue")},
		{"up, hold and down with Value", upHoldDown("Value")},
		{"up, hold and down with AverageValue", upHoldDown("AverageValue")},
		{"CPU weighs in", cpuWeighsIn},
		{"zero and back, external", zeroAndBack("external")},
		{"zero and back, external-push", zeroAndBack("external-push")},
		{"the scaler comes late", scalerComesLate},
		{"shadow", shadow},
		{"graceful landing", gracefulLanding},
		{"bad metadata", badMetadata},
		{"a small step is raised", tolerance(20, 11.448, false, 23)},         // 21.2 wanted
		{"a smaller step is not worth it", tolerance(20, 11.232, false, 20)}, // 20.8 wanted
		{"a small step at a lower tolerance", tolerance(20, 11.232, true, 21)},
		{"paused", paused},
		{"rollout with Value", rollout("Value")},
		{"rollout with AverageValue", rollout("AverageValue")},
		{"a StatefulSet", target("StatefulSet")},
		{"a custom resource", target("Crew")},
	}
}

// notWithPods says why a scenario is not run with real pods.
func notWithPods(name string) string {
	return map[string]string{
		"mutual TLS": "the chart mounts certificates; e2e/incluster/scenarios does that",
	}[name]
}

// TestScenarios boots one cluster and runs every scenario on it, side by side, each
// in a namespace of its own.
func TestScenarios(t *testing.T) {
	c := bootCluster(t)
	shared, err := c.Prometheus(t.Context(), "zmy-e2e", "prometheus")
	if err != nil {
		t.Fatal(err)
	}
	world := stage.World{Cluster: c, Prometheus: shared}
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			if why := notWithPods(s.name); why != "" && boot.Wanted() {
				t.Skip(why)
			}
			t.Parallel()
			s.run(t, world)
		})
	}
}
