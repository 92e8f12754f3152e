package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/app"
	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/internal/metrics"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
)

const (
	// DefaultSpeed is how much faster than the clock a demo runs by default: an
	// hour in a minute. It shows everything in about half a minute.
	DefaultSpeed = 60
	// MaxSpeed leaves the scaler time for its evaluations: 15 s are 25 ms then.
	MaxSpeed = 600
	// anyPort is an address of this machine that is free.
	anyPort = "127.0.0.1:0"

	redrawEvery = 200 * time.Millisecond // on the wall's clock
	lookEvery   = 5 * time.Second        // on the demo's
)

// Options is what a demo is made of.
type Options struct {
	// For is how long it runs, on the wall's clock; 0 for until the context ends.
	For time.Duration
	// Speed is how much faster than the clock it runs; DefaultSpeed when 0.
	Speed float64
	// GRPCAddress and HTTPAddress are where the scaler listens; any free port
	// of the loopback interface when empty.
	GRPCAddress, HTTPAddress string
	// Out is where everything is shown, on what Terminal says it is.
	Out      io.Writer
	Terminal Terminal
	// Build says what the scaler is.
	Build metrics.Build
	// Log is the scaler's log; none when nil.
	Log *slog.Logger
}

// ErrSpeed is returned for a speed that no demo can run at.
var ErrSpeed = fmt.Errorf("the speed must be above 0 and at most %d", MaxSpeed)

// Run shows the demo until its time is over or ctx ends. It fails with a
// [MissingError] when its time is over and it has not shown every event.
func Run(ctx context.Context, o Options) (Report, error) {
	if o.Speed == 0 {
		o.Speed = DefaultSpeed
	}
	if !(o.Speed > 0 && o.Speed <= MaxSpeed) {
		return Report{}, ErrSpeed
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d, err := setUp(ctx, o)
	if err != nil {
		return Report{}, err
	}
	began := time.Now()
	err = d.run(ctx)
	report := d.observer.finish(d.clock.Now(), time.Since(began))
	err = errors.Join(err, report.write(o.Out))
	if missing := report.Missing(); err == nil && len(missing) > 0 && o.For > 0 && ctx.Err() == nil {
		err = &MissingError{Events: missing, Ran: o.For}
	}
	return report, err
}

// demo is everything that a run needs.
type demo struct {
	o        Options
	clock    clock.Clock
	world    *world
	store    *promembed.Server
	scraper  *scraper
	listener net.Listener // of the embedded Prometheus
	app      *app.App
	observer *observer
	lines    *lineWriter // nil where a picture is drawn instead
}

// setUp builds the world with its history, and the scaler beside it.
func setUp(ctx context.Context, o Options) (_ *demo, err error) {
	start := time.Now().Truncate(time.Hour)
	d := &demo{o: o}
	if d.world, err = newWorld(scenario(), start); err != nil {
		return nil, err
	}
	if d.store, err = promembed.Open(promembed.Options{Now: func() time.Time { return d.clock.Now() }}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.store.Close())
		}
	}()
	d.scraper = &scraper{store: d.store, world: d.world}
	if err = d.advance(ctx, start); err != nil {
		return nil, err
	}
	if d.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", anyPort); err != nil {
		return nil, err
	}
	d.clock = clock.Scaled(start, o.Speed)
	cfg := config.Default()
	cfg.GRPC.Address, cfg.HTTP.Address = cmp.Or(o.GRPCAddress, anyPort), cmp.Or(o.HTTPAddress, anyPort)
	cfg.Sources = []promquery.SourceConfig{promquery.NewSourceConfig("default", "http://"+d.listener.Addr().String())}
	if d.app, err = app.New(ctx, app.Options{Config: cfg, Build: o.Build, Cluster: d.world, Clock: d.clock, Log: o.Log}); err != nil {
		return nil, errors.Join(err, d.listener.Close())
	}
	tell := func(entry) {}
	if !o.Terminal.Live {
		d.lines = &lineWriter{out: o.Out}
		tell = d.lines.tell
	}
	d.observer = newObserver(start, d.app.Engine().List, tell)
	return d, nil
}

func (d *demo) advance(ctx context.Context, now time.Time) error {
	return d.world.advance(now, func(at time.Time) error { return d.scraper.scrape(ctx, at) })
}
