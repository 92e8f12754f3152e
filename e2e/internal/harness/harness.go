// Package harness runs tests against a cluster: outside it builds what is needed
// and makes the namespaces, inside it boots the cluster.
package harness

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
	"github.com/infra-arch/zmy-scaler/e2e/internal/testrun"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// parallel is how many scenarios run at a time. They wait most of the time.
const parallel = "10"

// parts are what the outer run has made ready.
type parts struct {
	Root, Scaler, KedaConfig string
	Tools                    map[string]string
}

// Main runs the tests of a package in a cluster and returns the exit code.
func Main(ctx context.Context, m *testing.M) int {
	flag.Parse()
	if listing := flag.Lookup("test.list"); listing != nil && listing.Value.String() != "" {
		return m.Run()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	if _, inside := isolate.Inside(ctx); inside {
		return within(ctx, m)
	}
	code, err := isolate.Session(func(dir string) error { return prepare(ctx, dir) })
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(1, code)
	}
	return code
}

// prepare builds what the cache lacks, and the scaler.
func prepare(ctx context.Context, dir string) error {
	root, err := tools.Root()
	if err != nil {
		return err
	}
	cache, err := tools.Open(os.Stderr)
	if err != nil {
		return err
	}
	p := parts{Root: root}
	if p.Tools, err = cache.Ensure(ctx, tools.ControlPlane()); err != nil {
		return err
	}
	if p.KedaConfig, err = cache.KedaConfig(ctx); err != nil {
		return err
	}
	if p.Scaler, err = testrun.Scaler(ctx, root, dir); err != nil {
		return err
	}
	return isolate.Hand(dir, p)
}

// within runs the tests. With the process everything ends that runs inside.
func within(ctx context.Context, m *testing.M) int {
	if err := testrun.InParallel(parallel); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return testrun.Run(ctx, m)
}
