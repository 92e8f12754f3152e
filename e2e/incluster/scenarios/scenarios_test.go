// Package scenarios proves the scaler as it is released, on a cluster whose pods
// really run: its chart and its image, with KEDA, the HPA and Prometheus.
package scenarios

import (
	"context"
	"os"
	"testing"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/incluster"
	"github.com/infra-arch/zmy-scaler/e2e/incluster/boot"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

func TestMain(m *testing.M) { os.Exit(boot.Main(context.Background(), m)) }

// world is what scenarios share.
type world struct {
	cluster    *incluster.Cluster
	prometheus cluster.Prometheus
}

// with returns the world of a stage whose scaler has a setup of its own.
func (w world) with(s incluster.Setup) stage.World {
	return stage.World{Cluster: w.cluster.With(s), Prometheus: w.prometheus}
}

// TestScenarios puts everything on one cluster and runs the scenarios there. The
// first compares what is on the cluster before and after, and so is alone on it.
func TestScenarios(t *testing.T) {
	c := boot.Cluster(t)
	shared, err := c.Prometheus(t.Context(), "zmy-e2e", "prometheus")
	must(t, err)
	w := world{c, shared}
	t.Run("install, upgrade and uninstall", func(t *testing.T) { lifecycle(t, w) })
	for _, s := range []struct {
		name string
		run  func(*testing.T, world)
	}{
		{"broken triggers are refused", refused},
		{"no more rights than it needs", rights},
		{"TLS, one authentication for all", clusterWideTLS},
		{"TLS, an authentication for a namespace", namespacedTLS},
	} {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t, w)
		})
	}
}

// atOnce has a release replace its replicas without a pause: for scenarios that do
// not look at that.
func atOnce(string) map[string]any { return map[string]any{"minReadySeconds": 0} }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
