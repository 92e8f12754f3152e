package demo

import (
	"context"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/clock"
)

// every calls do now and then once each period until ctx ends or do fails.
// Instants that pass while it is late are skipped: on a slow machine less
// happens, and nothing queues up.
func every(ctx context.Context, clk clock.Clock, period time.Duration, do func(now time.Time) error) error {
	for next := clk.Now(); ; {
		timer := clk.NewTimer(next.Sub(clk.Now()))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		now := clk.Now()
		if err := do(now); err != nil {
			if ctx.Err() != nil {
				return nil // the end got in its way
			}
			return err
		}
		next = next.Add(period * (1 + max(0, now.Sub(next)/period)))
	}
}
