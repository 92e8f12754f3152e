// Package wait waits for conditions, never for time alone.
package wait

import (
	"context"
	"fmt"
	"time"
)

// every is how often a condition is looked at.
const every = 50 * time.Millisecond

// Until waits until look returns no error. At the end of the context it returns
// the last one.
func Until(ctx context.Context, what string, look func(context.Context) error) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		err := look(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited for %s: %w; at last: %w", what, context.Cause(ctx), err)
		case <-ticker.C:
		}
	}
}

// Within is Until with a deadline of its own.
func Within(ctx context.Context, d time.Duration, what string, look func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d, fmt.Errorf("%v were not enough", d))
	defer cancel()
	return Until(ctx, what, look)
}

// Pass lets time pass in which something must not happen: it returns early, with
// the error, when look returns one.
func Pass(ctx context.Context, d time.Duration, look func(context.Context) error) error {
	end := time.NewTimer(d)
	defer end.Stop()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if err := look(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-end.C:
			return nil
		case <-ticker.C:
		}
	}
}
