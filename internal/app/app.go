// Package app puts a scaler together: sources, engine, gRPC and HTTP, and the
// order in which they start and stop. Serving and the demo both run it.
package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/dynamic"

	"github.com/infra-arch/zmy-scaler/internal/certs"
	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/events"
	"github.com/infra-arch/zmy-scaler/internal/grpcserver"
	"github.com/infra-arch/zmy-scaler/internal/httpserver"
	"github.com/infra-arch/zmy-scaler/internal/introspect"
	"github.com/infra-arch/zmy-scaler/internal/metrics"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// DrainTimeout bounds how long calls under way may take to finish.
const DrainTimeout = 15 * time.Second

// lastRequests is how much longer requests over HTTP may take, which end afterwards.
const lastRequests = 3 * time.Second

// Cluster is an [engine.Cluster] that may have something to run.
type Cluster interface {
	engine.Cluster
	// Run keeps the cluster's view current until ctx ends.
	Run(ctx context.Context) error
}

// Options is what a scaler is made of.
type Options struct {
	Config config.Config
	Build  metrics.Build
	// Cluster is nil when Kubernetes is off.
	Cluster Cluster
	// Events is where Kubernetes Events are written to; nil when Kubernetes is off.
	Events dynamic.Interface
	Clock  clock.Clock
	Log    *slog.Logger
	// Profiling adds /debug/pprof to the HTTP server.
	Profiling bool
	// LameDuck is how long the scaler goes on answering after it was told to
	// stop and has said that it is not ready, so that clients learn of it first.
	LameDuck time.Duration
}

// App is a scaler.
type App struct {
	o       Options
	engine  *engine.Engine
	events  *events.Recorder // nil when Kubernetes is off
	sources []*promquery.Source
	grpc    *grpcserver.Server
	http    *httpserver.Server

	grpcListener, httpListener net.Listener

	ready atomic.Bool
	// draining is closed when streams must end.
	draining chan struct{}
}

// New puts a scaler together and takes its ports; it serves when [App.Run].
func New(ctx context.Context, o Options) (*App, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	a := &App{o: o, draining: make(chan struct{})}
	m := metrics.New(o.Build)
	sources, err := a.open(m)
	if err != nil {
		return nil, err
	}
	eval := o.Config.Evaluation
	cfg := engine.Config{
		Interval: time.Duration(eval.Interval), Timeout: time.Duration(eval.Timeout), QueryOffset: time.Duration(eval.QueryOffset),
		Sources: sources, Clock: o.Clock, Log: o.Log, Evaluated: m.Evaluated,
	}
	if o.Cluster != nil {
		cfg.Cluster = o.Cluster
	}
	if o.Events != nil {
		a.events = events.New(events.Options{Client: o.Events, Clock: o.Clock, Log: o.Log, Observe: m.Told})
		cfg.Events = a.events
	}
	// First evaluations end with Run, which outlives ctx for a while.
	if a.engine, err = engine.New(context.WithoutCancel(ctx), cfg); err != nil {
		return nil, err
	}
	m.Watch(a.engine)
	tlsConfig, err := tlsOf(o.Config.GRPC.TLS, o.Log)
	if err != nil {
		return nil, err
	}
	told := introspect.New(a.engine, a.draining)
	a.grpc = grpcserver.New(grpcserver.Options{Engine: a.engine, Introspection: told, TLS: tlsConfig, Metrics: m.GRPC, Clock: o.Clock, Log: o.Log})
	a.http = httpserver.New(httpserver.Options{
		Live: a.engine.Alive, Ready: a.ready.Load, Registry: m.Registry, API: told.Register, Profiling: o.Profiling, Log: o.Log,
	})
	if err := a.listen(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *App) open(m *metrics.Metrics) (map[string]engine.Source, error) {
	sources := map[string]engine.Source{}
	for _, c := range a.o.Config.Sources {
		s, err := promquery.NewSource(c, promquery.WithObserver(m.Requested), promquery.WithUserAgent("zmy-scaler/"+a.o.Build.Version))
		if err != nil {
			return nil, err
		}
		if c.EnforceLabel != "" && a.o.Config.GRPC.TLS.ClientCAFile == "" {
			a.o.Log.Warn("enforceLabel without client certificates: whoever reaches the gRPC port can name any namespace, so let only KEDA reach it", "source", c.Name)
		}
		a.sources = append(a.sources, s)
		sources[c.Name] = engine.Source{Querier: s, Allows: c.Allows, EnforceLabel: c.EnforceLabel, MaxConcurrency: c.MaxConcurrency}
	}
	return sources, nil
}

func tlsOf(c config.TLS, log *slog.Logger) (*tls.Config, error) {
	if c.CertFile == "" {
		return nil, nil
	}
	w, err := certs.New(certs.Files{Cert: c.CertFile, Key: c.KeyFile, ClientCA: c.ClientCAFile, AllowedClientNames: c.AllowedClientNames}, log)
	if err != nil {
		return nil, err
	}
	return w.Config(), nil
}

func (a *App) listen(ctx context.Context) (err error) {
	var lc net.ListenConfig
	if a.grpcListener, err = lc.Listen(ctx, "tcp", a.o.Config.GRPC.Address); err != nil {
		return fmt.Errorf("grpc.address: %w", err)
	}
	if a.httpListener, err = lc.Listen(ctx, "tcp", a.o.Config.HTTP.Address); err != nil {
		return errors.Join(fmt.Errorf("http.address: %w", err), a.grpcListener.Close())
	}
	return nil
}

// Engine returns the scaler's engine.
func (a *App) Engine() *engine.Engine { return a.engine }

// GRPCAddr returns where KEDA reaches the scaler.
func (a *App) GRPCAddr() net.Addr { return a.grpcListener.Addr() }

// HTTPAddr returns where probes and people reach the scaler.
func (a *App) HTTPAddr() net.Addr { return a.httpListener.Addr() }

// Run serves until ctx ends, and then drains: it says that it is not ready,
// goes on answering for a while, ends streams cleanly, and lets calls under way
// finish. It returns the first failure of any part.
func (a *App) Run(ctx context.Context) error {
	// The parts outlive ctx until the calls under way are answered.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, failed := errgroup.WithContext(inner)
	group.Go(func() error { return a.engine.Run(failed) })
	group.Go(func() error { return a.grpc.Serve(a.grpcListener) })
	group.Go(func() error { return a.http.Serve(a.httpListener) })
	if a.o.Cluster != nil {
		group.Go(func() error { return a.o.Cluster.Run(failed) })
	}
	if a.events != nil {
		group.Go(func() error { return a.events.Run(failed) })
	}
	a.ready.Store(true)
	a.o.Log.Info("serving", "grpc", a.GRPCAddr().String(), "http", a.HTTPAddr().String(),
		"version", a.o.Build.Version, "sources", len(a.sources), "tls", a.o.Config.GRPC.TLS.CertFile != "", "kubernetes", a.o.Cluster != nil)
	select {
	case <-ctx.Done():
		a.o.Log.Info("stopping")
		a.duck(failed)
	case <-failed.Done():
	}
	err := a.stop(inner)
	stop()
	return errors.Join(group.Wait(), err)
}

// duck answers on while clients learn that this replica is going.
func (a *App) duck(ctx context.Context) {
	a.ready.Store(false)
	timer := time.NewTimer(a.o.LameDuck)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (a *App) stop(ctx context.Context) error {
	a.ready.Store(false)
	close(a.draining)
	calls, cancel := context.WithTimeout(ctx, DrainTimeout)
	defer cancel()
	// Calls that take all of the time leave some to requests.
	requests, done := context.WithTimeout(ctx, DrainTimeout+lastRequests)
	defer done()
	a.grpc.Drain(calls)
	err := a.http.Shutdown(requests)
	for _, s := range a.sources {
		s.Close()
	}
	return err
}
