// Package rig is what all end-to-end tests stand on: the built scaler in a
// process of its own, and KEDA's own client to ask it.
package rig

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/infra-arch/zmy-scaler/e2e/internal/testrun"
)

// Root is the root of the repository, seen from a package of tests.
const Root = "../../.."

// Main runs the tests of a package and returns the exit code. Everything
// temporary lies in one directory, which goes away also when the run is
// interrupted or out of time.
func Main(m *testing.M) int {
	flag.Parse()
	dir, err := os.MkdirTemp("", "zmy-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	logf.SetLogger(logr.Discard()) // of KEDA's client; errors come back from its methods

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := prepare(ctx, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return testrun.Run(ctx, m)
}

// prepare has everything temporary made in dir, and sees to a scaler.
func prepare(ctx context.Context, dir string) error {
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return err
	}
	binary, err := testrun.Scaler(ctx, Root, dir)
	if err != nil {
		return err
	}
	return os.Setenv(testrun.ScalerVariable, binary)
}

// Say writes a line for whoever watches the test.
func Say(t testing.TB, format string, args ...any) {
	fmt.Fprintf(t.Output(), format+"\n", args...)
}
