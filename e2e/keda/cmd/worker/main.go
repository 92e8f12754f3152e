// Command worker is a pool of simulated workers for the smoke test: it serves
// their metrics to a real Prometheus, and takes the load and the number of
// workers over HTTP.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/fleet"
)

// tick is how often the workers work.
const tick = 100 * time.Millisecond

func main() {
	replicas := flag.Int("replicas", 0, "workers at the start")
	delay := flag.Duration("start-delay", 2*time.Second, "how long a new worker takes to become ready")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *replicas, *delay); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves on a free port, which it prints, until ctx ends.
func run(ctx context.Context, replicas int, delay time.Duration) error {
	f, err := fleet.New(fleet.Config{
		Start: time.Now(), Replicas: replicas, StartDelay: delay, IdleCPU: 0.05, BusyCPU: 0.9,
	})
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "serving on %s\n", listener.Addr())
	server := &http.Server{Handler: f.Handler(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			f.Step(now)
		case err := <-failed:
			return err
		case <-ctx.Done():
			return server.Close()
		}
	}
}
