// Package harness runs tests against a cluster: outside it builds what is needed
// and makes the namespaces, inside it boots the cluster.
package harness

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

const (
	// parallel is how many scenarios run at a time. They wait most of the time.
	parallel = "8"
	// ends is how long before the deadline of the test binary it is given up.
	ends = 15 * time.Second
	// keep names the environment variable that keeps the directory of a run.
	keep = "ZMY_E2E_KEEP"
	// scalerVariable names the environment variable with the scaler to test; it is
	// built where the variable is empty.
	scalerVariable = "SCALER_BIN"
)

// parts are what the outer run has made ready.
type parts struct {
	Root, Scaler, KedaConfig string
	Tools                    map[string]string
}

// Main runs the tests of a package in a cluster and returns the exit code.
func Main(m *testing.M) int {
	flag.Parse()
	if listing := flag.Lookup("test.list"); listing != nil && listing.Value.String() != "" {
		return m.Run()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if _, inside := isolate.Inside(); inside {
		return within(ctx, m)
	}
	code, err := outer(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(1, code)
	}
	return code
}

// outer makes everything ready and runs the tests inside. Afterwards nothing is
// left, or it is an error.
func outer(ctx context.Context) (code int, err error) {
	dir, err := os.MkdirTemp("", "zmy-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() {
		if os.Getenv(keep) != "" {
			fmt.Fprintf(os.Stderr, "kept %s\n", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	if err := prepare(ctx, dir); err != nil {
		return 0, err
	}
	code, err = isolate.Run(dir, nil)
	if err != nil {
		return 0, err
	}
	left, err := isolate.Left(dir)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("the run has left behind:\n%s", strings.Join(left, "\n"))
	}
	return code, err
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
	p := parts{Root: root, Scaler: os.Getenv(scalerVariable)}
	if p.Tools, err = cache.Ensure(ctx, tools.ControlPlane()); err != nil {
		return err
	}
	if p.KedaConfig, err = cache.KedaConfig(ctx); err != nil {
		return err
	}
	if p.Scaler == "" {
		p.Scaler = filepath.Join(dir, "zmy-scaler")
		cmd := exec.CommandContext(ctx, "go", "build", "-C", root, "-trimpath", "-buildvcs=false", "-o", p.Scaler, "./cmd/scaler")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build the scaler: %w\n%s", err, out)
		}
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(partsFile(dir), text, 0o644)
}

func partsFile(dir string) string { return filepath.Join(dir, "parts.json") }

// within runs the tests until they have ended, are interrupted or are out of time.
// With the process everything ends that runs inside.
func within(ctx context.Context, m *testing.M) int {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", parallel); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
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
