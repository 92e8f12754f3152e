// Build builds the programs of a cluster into the user's cache and prints where
// they are. It builds nothing when the cache has them. With -node it builds those of
// a real node as well.
package main

import (
	"context"
	"flag"
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
	node := flag.Bool("node", false, "also build what a real node needs")
	flag.Parse()
	if err := run(ctx, *node); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, node bool) error {
	cache, err := tools.Open(os.Stderr)
	if err != nil {
		return err
	}
	programs := tools.ControlPlane()
	if node {
		programs = tools.All()
	}
	paths, err := cache.Ensure(ctx, programs)
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
