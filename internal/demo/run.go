package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/infra-arch/zmy-scaler/internal/clock"
)

// run runs everything, and takes it down in the order that lets each part end
// cleanly: first who asks, then the scaler, then what it asks.
func (d *demo) run(ctx context.Context) error {
	base := context.WithoutCancel(ctx)
	prometheus := &http.Server{Handler: d.store, ReadHeaderTimeout: time.Minute}
	scaler, stopScaler := context.WithCancel(base)
	defer stopScaler()
	parts, failed := errgroup.WithContext(scaler)
	parts.Go(func() error {
		if err := prometheus.Serve(d.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("embedded Prometheus: %w", err)
		}
		return nil
	})
	parts.Go(func() error {
		defer prometheus.Close()
		return d.app.Run(failed)
	})

	err := d.play(ctx, failed)
	stopScaler()
	return errors.Join(err, parts.Wait(), d.store.Close())
}

// play runs the world and the stand-ins until the demo's time is over, ctx ends,
// or the scaler has failed.
func (d *demo) play(ctx, scaler context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(scaler, stop)()
	var end time.Time
	if d.o.For > 0 {
		// No deadline on ctx: calls under way at the end would be told of it,
		// and fail a moment before it comes.
		end = time.Now().Add(d.o.For)
		defer time.AfterFunc(d.o.For, stop).Stop()
	}
	conn, err := grpc.NewClient("passthrough:///"+d.app.GRPCAddr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	players, ctx := errgroup.WithContext(ctx)
	players.Go(func() error {
		return every(ctx, d.clock, stepEvery, func(now time.Time) error { return d.advance(ctx, now) })
	})
	client := pb.NewExternalScalerClient(conn)
	for _, m := range d.world.members {
		op := newOperator(m, client, d.clock, d.observer)
		d.observer.add(op)
		op.run(ctx, players.Go)
	}
	players.Go(func() error { return d.show(ctx, end) })
	return errors.Join(players.Wait(), conn.Close())
}

// show shows what happens: lines, or one picture in place, until end where there
// is one.
func (d *demo) show(ctx context.Context, end time.Time) (err error) {
	look := func(now time.Time) error {
		d.observer.look(now)
		return d.lines.failure()
	}
	if !d.o.Terminal.Live {
		if err := d.header().write(d.o.Out); err != nil {
			return err
		}
		return every(ctx, d.clock, lookEvery, look)
	}
	s := &screen{out: d.o.Out, term: d.o.Terminal}
	if err := s.enter(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.leave()) }()
	views, ctx := errgroup.WithContext(ctx)
	views.Go(func() error { return every(ctx, d.clock, lookEvery, look) })
	views.Go(func() error {
		return every(ctx, clock.Real(), redrawEvery, func(now time.Time) error {
			p := d.observer.shown(d.clock.Now())
			p.header = d.header()
			if !end.IsZero() {
				p.header.left = end.Sub(now)
			}
			return s.draw(p)
		})
	})
	return views.Wait()
}

func (d *demo) header() header {
	return header{speed: d.o.Speed, grpc: d.app.GRPCAddr().String(), http: d.app.HTTPAddr().String()}
}
