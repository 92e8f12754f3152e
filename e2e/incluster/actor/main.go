// Command actor is what runs in the pods of the in-cluster scenarios: a worker that
// is ready after a while, and an exporter whose numbers are put from outside.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/numbers"
)

func main() {
	address := flag.String("listen", ":9100", "`address` to serve on")
	readyAfter := flag.String("ready-after", "", "how `long` it runs before it is ready; at once when empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *address, *readyAfter); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, address, readyAfter string) error {
	var wait time.Duration
	if readyAfter != "" {
		var err error
		if wait, err = time.ParseDuration(readyAfter); err != nil {
			return err
		}
	}
	server := &http.Server{Addr: address, Handler: handler(time.Now().Add(wait)), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}

// handler serves numbers under /metrics, takes all of them by PUT /numbers, and
// tells under /ready whether the time has come.
func handler(ready time.Time) http.Handler {
	var current atomic.Pointer[numbers.Numbers]
	current.Store(numbers.New())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) { current.Load().ServeHTTP(w, r) })
	mux.HandleFunc("PUT /numbers", func(w http.ResponseWriter, r *http.Request) {
		var values map[string]float64
		err := json.NewDecoder(r.Body).Decode(&values)
		if err == nil && values == nil {
			err = errors.New("no numbers")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		next := numbers.New()
		next.Set(values)
		current.Store(next)
	})
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, _ *http.Request) {
		if time.Now().Before(ready) {
			http.Error(w, "not yet", http.StatusServiceUnavailable)
		}
	})
	return mux
}
