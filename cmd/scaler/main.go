// Command scaler is a KEDA external scaler that resizes workers by their yield,
// the idle share of the service they feed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/infra-arch/zmy-scaler/internal/demo"
)

// Set by the linker.
var (
	version = "dev"
	commit  = "unknown"
)

// Exit codes.
const (
	exitClean   = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], environment{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, lookup: os.LookupEnv,
		terminal: demo.TerminalOf(os.Stdout, os.LookupEnv),
	}))
}

// run executes the command line and returns the exit code.
func run(ctx context.Context, args []string, env environment) int {
	root := newRoot(env)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitClean
	case errors.As(err, new(*usageError)):
		fmt.Fprintf(env.err, "scaler: %v\nSee 'scaler --help'.\n", err)
		return exitUsage
	}
	fmt.Fprintf(env.err, "scaler: %v\n", err)
	return exitFailure
}
