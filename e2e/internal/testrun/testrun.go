// Package testrun is what the binaries of end-to-end tests do alike: they find or
// build the scaler, and run their tests until these have ended, are interrupted or
// are out of time, so that what the tests have left can be removed.
package testrun

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"testing"
	"time"
)

// ScalerVariable names the environment variable with the scaler to test; it is
// built where the variable is empty.
const ScalerVariable = "SCALER_BIN"

// ends is how long before the deadline of the test binary its tests are given up.
const ends = 15 * time.Second

// Run runs the tests and returns the exit code. Tests that go on after it has
// returned end with the process.
func Run(ctx context.Context, m *testing.M) int {
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

// Scaler returns the scaler to test. It is built into a directory where the
// environment names none.
func Scaler(ctx context.Context, root, dir string) (string, error) {
	if given := os.Getenv(ScalerVariable); given != "" {
		return given, nil
	}
	binary := filepath.Join(dir, "zmy-scaler")
	fmt.Fprintln(os.Stderr, "building the scaler")
	return binary, Build(ctx, root, binary, "./cmd/scaler", "-trimpath") // as it is released
}

// Build builds a program of the module in a directory.
func Build(ctx context.Context, module, binary, program string, flags ...string) error {
	args := append([]string{"build", "-C", module, "-buildvcs=false", "-o", binary}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, program)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", program, err, out)
	}
	return nil
}

// InParallel sets how many tests run at a time, if the user has not. Flags have been
// parsed.
func InParallel(n string) error {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return nil
	}
	return flag.Set("test.parallel", n)
}
