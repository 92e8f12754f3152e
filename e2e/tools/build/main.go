// Build builds the programs of a cluster into the user's cache and prints where
// they are. It builds nothing when the cache has them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	cache, err := tools.Open(os.Stderr)
	if err != nil {
		return err
	}
	paths, err := cache.Ensure(ctx, tools.ControlPlane())
	if err != nil {
		return err
	}
	if _, err := cache.KedaConfig(ctx); err != nil {
		return err
	}
	all := make([]string, 0, len(paths))
	for _, p := range paths {
		all = append(all, p)
	}
	slices.Sort(all)
	for _, p := range all {
		fmt.Fprintln(os.Stdout, p)
	}
	return nil
}
