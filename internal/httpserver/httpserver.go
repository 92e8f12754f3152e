// Package httpserver serves probes, metrics, the page and the API behind it.
package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/infra-arch/zmy-scaler/internal/page"
)

// Options is what a server is made of.
type Options struct {
	// Live reports whether the scaler's own loop runs. It must not look at
	// anything else: restarting the scaler mends no Prometheus.
	Live func() bool
	// Ready reports whether calls are taken.
	Ready    func() bool
	Registry *prometheus.Registry
	// API adds the API's handlers.
	API func(*http.ServeMux)
	// Profiling adds /debug/pprof.
	Profiling bool
	Log       *slog.Logger
}

// Server is the HTTP server.
type Server struct{ http *http.Server }

// New returns a server that does not listen yet.
func New(o Options) *Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", probe(o.Live, "the evaluation loop is stuck"))
	mux.HandleFunc("GET /readyz", probe(o.Ready, "not taking calls"))
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true, Registry: o.Registry, MaxRequestsInFlight: 8,
	}))
	o.API(mux)
	mux.Handle("/", page.Handler())
	if o.Profiling {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return &Server{http: &http.Server{
		Handler:           impatient(mux),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
	}}
}

// patience is how long a client may take to read an answer. What answers for longer,
// such as a watch, sets another deadline.
const patience = time.Minute

// impatient lets no client that does not read keep a handler for ever.
func impatient(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/debug/pprof/") { // takes as long as is asked for
			h.ServeHTTP(w, r)
			return
		}
		// Only what is no connection cannot have one.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(patience))
		h.ServeHTTP(w, r)
	})
}

func probe(ok func() bool, problem string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		text := "ok\n"
		if !ok() {
			w.WriteHeader(http.StatusServiceUnavailable)
			text = problem + "\n"
		}
		// A prober that has gone needs no answer.
		_, _ = w.Write([]byte(text))
	}
}

// Serve answers requests until the server is shut down.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("http: %w", err)
	}
	return nil
}

// Shutdown lets requests under way finish, until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("http: %w", err), s.http.Close())
	}
	return nil
}
