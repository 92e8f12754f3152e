// Package rig is what all end-to-end tests stand on: the built scaler in a
// process of its own, and KEDA's own client to ask it.
package rig

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	logf "sigs.k8s.io/controller-runtime/pkg/log"
)

// BinaryVariable names the environment variable with the scaler to test; it is
// built where the variable is empty.
const BinaryVariable = "SCALER_BIN"

// Root is the root of the repository, seen from a package of tests.
const Root = "../../.."

// ends is how long before the deadline of the test binary its tests are given up,
// so that what they left can be removed.
const ends = 10 * time.Second

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
	code := make(chan int, 1)
	go func() { code <- m.Run() }()
	select {
	case c := <-code:
		return c
	case <-ctx.Done():
		fmt.Fprintln(os.Stderr, "interrupted")
	case <-outOfTime():
		fmt.Fprintln(os.Stderr, "out of time; all goroutines:")
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
	}
	return 1
}

// prepare has everything temporary made in dir, and sees to a scaler.
func prepare(ctx context.Context, dir string) error {
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return err
	}
	if os.Getenv(BinaryVariable) != "" {
		return nil
	}
	binary := filepath.Join(dir, "scaler")
	fmt.Fprintln(os.Stderr, "building the scaler")
	if err := Build(ctx, Root, binary, "./cmd/scaler"); err != nil {
		return err
	}
	return os.Setenv(BinaryVariable, binary)
}

// Build builds a program of the module in a directory.
func Build(ctx context.Context, module, binary, program string, flags ...string) error {
	args := append([]string{"build", "-C", module, "-trimpath", "-buildvcs=false", "-o", binary}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, program)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", program, err, out)
	}
	return nil
}

// outOfTime returns a channel that is ready shortly before the test binary would
// be ended by its own -timeout; nil without one.
func outOfTime() <-chan time.Time {
	f := flag.Lookup("test.timeout")
	if f == nil {
		return nil
	}
	d, err := time.ParseDuration(f.Value.String())
	if err != nil || d <= ends {
		return nil
	}
	return time.After(d - ends)
}
