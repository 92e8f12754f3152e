package demo

import (
	"context"
	"errors"
	"io"
	"time"
)

// A push stream that ended is opened again after a while, as KEDA does.
const minBackoff, maxBackoff = 2 * time.Second, time.Minute

// follow keeps the stream of an external-push trigger open.
func (o *operator) follow(ctx context.Context) error {
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		if o.stream(ctx) {
			backoff = minBackoff
		}
		timer := o.clock.NewTimer(backoff)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// stream hands on what the scaler pushes, until the stream ends. It reports
// whether that was a clean end. Only true counts.
func (o *operator) stream(ctx context.Context) (clean bool) {
	s, err := o.client.StreamIsActive(ctx, o.ref(o.triggers[0]))
	if err != nil {
		return false
	}
	for {
		answer, err := s.Recv()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if answer.GetResult() {
			o.pushed(o.clock.Now())
		}
	}
}
