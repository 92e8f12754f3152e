// Up boots a Kubernetes node with KEDA on this machine and runs a command there; or,
// without one, waits for Ctrl-C. The command finds the cluster by KUBECONFIG. It ends
// with the command's code, and leaves nothing behind.
//
//	cd e2e && go run ./cluster/node/up [-sync 15s] [-downscale 5m] [COMMAND [ARG...]]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster/node"
	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

func main() {
	background := context.Background()
	dir, inside := isolate.Inside(background)
	sync := flag.Duration("sync", time.Second, "how often the HPA looks")
	downscale := flag.Duration("downscale", 0, "how long a lower recommendation must have been the highest")
	flag.Parse()
	ctx, stop := signal.NotifyContext(background, os.Interrupt, syscall.SIGTERM)
	defer stop()
	var code int
	var err error
	if inside {
		code, err = inner(ctx, node.Options{Dir: dir, HPASync: *sync, HPADownscale: *downscale, Log: os.Stderr}, flag.Args())
	} else {
		code, err = outer(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(1, code)
	}
	os.Exit(code)
}

// outer makes everything ready where there is a network, and runs the rest inside.
func outer(ctx context.Context) (int, error) {
	if err := node.Supported(); err != nil {
		return 1, fmt.Errorf("NO NODE ON THIS MACHINE: %w", err)
	}
	return isolate.Session(func(dir string) error {
		cache, err := tools.Open(os.Stderr)
		if err != nil {
			return err
		}
		parts, err := node.Make(ctx, cache)
		if err != nil {
			return err
		}
		return isolate.Hand(dir, parts)
	})
}

// inner boots the node and runs the command.
func inner(ctx context.Context, o node.Options, command []string) (code int, err error) {
	if err := isolate.Take(o.Dir, &o.Parts); err != nil {
		return 0, err
	}
	n, err := node.Boot(ctx, o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, n.Close(context.WithoutCancel(ctx))) }()
	// The last two are for tests that run on any cluster.
	env := []string{
		"KUBECONFIG=" + n.Kubeconfig(), "ZMY_E2E_KUBECONFIG=" + n.Kubeconfig(), "ZMY_E2E_LOAD=" + strings.Join(n.LoadCommand(), " "),
	}
	if len(command) == 0 {
		fmt.Fprintf(o.Log, "up; Ctrl-C ends it. The kubeconfig, to be used in the namespaces of the kubelet (nsenter --all): %s\n", n.Kubeconfig())
		<-ctx.Done()
		return 0, nil
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(1, exit.ExitCode()), nil
	}
	return 0, err
}
