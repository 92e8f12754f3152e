// Package wait waits in tests for what is to come, never longer than a context
// allows.
package wait

import (
	"context"
	"fmt"
	"time"
)

// every is how often a condition is looked at.
const every = 20 * time.Millisecond

// Until looks at a condition again and again until it holds. The error says
// what was waited for.
func Until(ctx context.Context, what string, holds func() bool) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for !holds() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("waited for %s: %w", what, context.Cause(ctx))
		}
	}
	return nil
}

// For lets d pass.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Instant waits for an instant.
func Instant(ctx context.Context, at time.Time) error { return For(ctx, time.Until(at)) }
