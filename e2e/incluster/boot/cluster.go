package boot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/cluster/kubeconfig"
	"github.com/infra-arch/zmy-scaler/e2e/cluster/node"
	"github.com/infra-arch/zmy-scaler/e2e/incluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
)

// farewell is how long before the deadline of the test binary it gives up, to take
// everything off the cluster.
const farewell = time.Minute

// Cluster returns the cluster, for a test and its subtests. A binary asks once. What
// is put there goes with the test, also when it is interrupted or out of time.
func Cluster(t *testing.T) *incluster.Cluster {
	t.Helper()
	dir := os.Getenv(dirVariable)
	var p parts
	if err := isolate.Take(dir, &p); err != nil {
		t.Fatalf("the tests of this package run through boot.Main: %v", err)
	}
	ground, err := ground(t.Context(), dir, p)
	if err != nil {
		t.Fatal(err)
	}
	c, err := incluster.New(t.Context(), incluster.Options{
		Ground: ground, Kit: p.Kit, Dir: dir, Keda: cmp.Or(os.Getenv(kedaVariable), "keda"), Log: os.Stderr,
	})
	if err != nil {
		t.Fatal(errors.Join(err, ground.Close(context.WithoutCancel(t.Context()))))
	}
	clean := func() error { return c.Close(context.WithoutCancel(t.Context())) }
	giveUp(t, clean)
	t.Cleanup(func() {
		if err := clean(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// ground returns the cluster below.
func ground(ctx context.Context, dir string, p parts) (cluster.Ground, error) {
	if file := os.Getenv(kubeconfigVariable); file != "" {
		return kubeconfig.Open(kubeconfig.Options{File: file, Load: os.Getenv(loadVariable)})
	}
	// The HPA looks every second, and follows a lower recommendation at once.
	return node.Boot(ctx, node.Options{Dir: dir, Parts: p.Node, HPASync: time.Second, Log: os.Stderr})
}

// giveUp cleans up and ends the binary on a signal, or shortly before its deadline.
func giveUp(t *testing.T, clean func() error) {
	t.Helper()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var late <-chan time.Time
	if deadline, ok := t.Deadline(); ok {
		late = time.After(time.Until(deadline) - farewell)
	}
	go func() {
		select {
		case s := <-signals:
			fmt.Fprintln(os.Stderr, s)
		case <-late:
			fmt.Fprintln(os.Stderr, "out of time")
		case <-t.Context().Done(): // the cleanup does it
			signal.Stop(signals)
			return
		}
		if err := clean(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}()
}
