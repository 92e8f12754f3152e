package harness

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/cluster/controlplane"
	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
)

// Speed says how often the HPA looks, and for how long a lower recommendation must
// have been the highest.
type Speed struct{ Sync, Downscale time.Duration }

// Scaler returns the program that is tested.
func Scaler(t *testing.T) string {
	t.Helper()
	_, p := made(t)
	return p.Scaler
}

// made returns the directory of the run, and what was made ready for it.
func made(t *testing.T) (dir string, p parts) {
	t.Helper()
	dir, inside := isolate.Inside(t.Context())
	if !inside {
		t.Fatal("the tests of this package run through harness.Main")
	}
	if err := isolate.Take(dir, &p); err != nil {
		t.Fatal(err)
	}
	return dir, p
}

// Boot boots a cluster for a test and its subtests. A binary does so once.
func Boot(t *testing.T, speed Speed) cluster.Cluster {
	t.Helper()
	dir, p := made(t)
	net, err := isolate.Enter(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := controlplane.Start(t.Context(), controlplane.Options{
		Dir: dir, Root: p.Root, Tools: p.Tools, Scaler: p.Scaler, KedaConfig: p.KedaConfig, Net: net,
		HPASync: speed.Sync, HPADownscale: speed.Downscale, Log: os.Stderr,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return c
}
