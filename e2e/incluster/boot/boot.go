// Package boot runs the tests of a package on a cluster whose pods really run: on
// the one that a kubeconfig leads to, or else on a node that it boots on this
// machine.
package boot

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/infra-arch/zmy-scaler/e2e/cluster/node"
	"github.com/infra-arch/zmy-scaler/e2e/incluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
	"github.com/infra-arch/zmy-scaler/e2e/internal/testrun"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// The environment variables with which a user says where to run, and how pods there
// get their images.
const (
	podsVariable       = "ZMY_E2E_PODS"
	kubeconfigVariable = "ZMY_E2E_KUBECONFIG"
	loadVariable       = "ZMY_E2E_LOAD"
	registryVariable   = "ZMY_E2E_REGISTRY"
	prometheusVariable = "ZMY_E2E_PROMETHEUS_IMAGE"
	kedaVariable       = "ZMY_E2E_KEDA_NAMESPACE"
)

// dirVariable says which directory Main has made ready.
const dirVariable = "ZMY_E2E_DIR"

// parallel is how many scenarios run at a time: there is one small node, and all of
// them start their pods at once.
const parallel = "2"

// parts are what is made ready before there is a cluster.
type parts struct {
	Kit  incluster.Kit
	Node node.Parts
}

// Wanted reports whether the user wants real pods, for tests that can do without.
func Wanted() bool { return os.Getenv(podsVariable) != "" || os.Getenv(kubeconfigVariable) != "" }

// Main runs the tests and returns the exit code. Where there is neither a kubeconfig
// nor can there be a node, it says why, and returns 0.
func Main(ctx context.Context, m *testing.M) int {
	dir, inside := isolate.Inside(ctx)
	flag.Parse()
	if listing := flag.Lookup("test.list"); listing != nil && listing.Value.String() != "" {
		return m.Run()
	}
	if err := testrun.InParallel(parallel); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var code int
	var err error
	switch {
	case os.Getenv(kubeconfigVariable) != "":
		code, err = there(ctx, m)
	case inside:
		return run(m, dir)
	default:
		code, err = here(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(1, code)
	}
	return code
}

// here runs the tests inside, where a node is booted for them.
func here(ctx context.Context) (int, error) {
	if err := node.Supported(); err != nil {
		fmt.Fprintf(os.Stderr, "\n!!!! NOT RUN: the scenarios with real pods. There can be no node on this machine:\n%v\n"+
			"!!!! A cluster elsewhere will do: %s, see e2e/README.md\n\n", err, kubeconfigVariable)
		return 0, nil
	}
	return isolate.Session(func(dir string) error {
		return prepare(ctx, dir, func(ctx context.Context, cache tools.Cache, p *parts) error {
			var err error
			p.Node, err = node.Make(ctx, cache)
			return err
		})
	})
}

// there runs the tests in this process, on the cluster of a kubeconfig.
func there(ctx context.Context, m *testing.M) (code int, err error) {
	if os.Getenv(loadVariable) == "" && os.Getenv(registryVariable) == "" {
		return 0, fmt.Errorf("%s is set: then %s must be a command that gives the nodes an image from an archive, or %s a registry to push to",
			kubeconfigVariable, loadVariable, registryVariable)
	}
	dir, err := os.MkdirTemp("", "zmy-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := prepare(ctx, dir, nil); err != nil {
		return 0, err
	}
	return run(m, dir), nil
}

// prepare makes everything ready that needs a network or takes its time.
func prepare(ctx context.Context, dir string, more func(context.Context, tools.Cache, *parts) error) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	root, err := tools.Root()
	if err != nil {
		return err
	}
	cache, err := tools.Open(os.Stderr)
	if err != nil {
		return err
	}
	var p parts
	if more != nil {
		if err := more(ctx, cache, &p); err != nil {
			return err
		}
	}
	kit := filepath.Join(dir, "kit")
	if err := os.Mkdir(kit, 0o755); err != nil {
		return err
	}
	if p.Kit, err = incluster.Make(ctx, incluster.KitOptions{
		Root: root, Dir: kit, Tools: cache, Log: os.Stderr,
		Registry: os.Getenv(registryVariable), Prometheus: os.Getenv(prometheusVariable),
	}); err != nil {
		return err
	}
	return isolate.Hand(dir, p)
}

// run runs the tests, which find the directory by a variable.
func run(m *testing.M, dir string) int {
	if err := os.Setenv(dirVariable, dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
