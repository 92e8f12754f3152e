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
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
	"github.com/infra-arch/zmy-scaler/e2e/internal/testrun"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

const (
	// parallel is how many scenarios run at a time. They wait most of the time.
	parallel = "8"
	// keep names the environment variable that keeps the directory of a run.
	keep = "ZMY_E2E_KEEP"
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
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return os.WriteFile(partsFile(dir), text, 0o644)
}

func partsFile(dir string) string { return filepath.Join(dir, "parts.json") }

// within runs the tests. With the process everything ends that runs inside.
func within(ctx context.Context, m *testing.M) int {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", parallel); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return testrun.Run(ctx, m)
}
