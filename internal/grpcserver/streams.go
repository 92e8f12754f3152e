package grpcserver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"

	"github.com/infra-arch/zmy-scaler/internal/engine"
)

const (
	// activeBeat is how often an active trigger is said to be so again. KEDA
	// forgets a push that came while its metric was not yet in the HPA.
	activeBeat = 30 * time.Second
	// specBeat is how often the spec is sent again. Each costs KEDA a reconcile.
	specBeat = 5 * time.Minute
)

// StreamIsActive sends the state at once, then on change, then now and again
// while active. It ends cleanly when the server drains or the stream has lived
// long enough.
func (s *service) StreamIsActive(ref *pb.ScaledObjectRef, stream grpc.ServerStreamingServer[pb.IsActiveResponse]) error {
	w, err := s.engine.Watch(call(ref))
	if err != nil {
		return statusOf(err)
	}
	defer w.Close()
	age := newAge()
	defer age.Stop()
	var told activity
	for {
		changed := w.Changed()
		a, err := w.Answer(stream.Context())
		if err != nil && !errors.As(err, new(*engine.UnavailableError)) {
			return statusOf(err)
		}
		// What cannot be said is not said: the stream goes on without it.
		if err == nil && !a.Told.NoActivity && told.due(a.Told.Active, s.clock.Now()) {
			if err := stream.Send(&pb.IsActiveResponse{Result: a.Told.Active}); err != nil {
				return err
			}
		}
		if s.ended(stream.Context(), age, changed, told.next(s.clock.Now())) {
			return nil
		}
	}
}

// activity remembers what was told last, and when.
type activity struct {
	active, any bool
	at          time.Time
}

// due reports whether a state is to be told now, and takes it as told.
func (t *activity) due(active bool, now time.Time) bool {
	if t.any && t.active == active && (!active || now.Sub(t.at) < activeBeat) {
		return false
	}
	*t = activity{active: active, any: true, at: now}
	return true
}

// next returns how long it is until the state is due even without a change. What is
// due and could not be said waits for a whole beat.
func (t *activity) next(now time.Time) time.Duration {
	left := activeBeat - now.Sub(t.at)
	if !t.any || !t.active || left <= 0 {
		return activeBeat
	}
	return left
}

// StreamMetricSpec sends the spec at once, and again now and then: KEDA forgets
// a streamed spec at any error.
func (s *service) StreamMetricSpec(ref *pb.ScaledObjectRef, stream grpc.ServerStreamingServer[pb.GetMetricSpecResponse]) error {
	t, err := s.engine.Trigger(call(ref))
	if err != nil {
		return statusOf(err)
	}
	age := newAge()
	defer age.Stop()
	for {
		if err := stream.Send(specOf(t)); err != nil {
			return err
		}
		if s.ended(stream.Context(), age, nil, specBeat) {
			return nil
		}
	}
}

// newAge returns a timer that ends a stream. A tenth of chance keeps streams
// that began together, after a restart say, from ending together.
func newAge() *time.Timer {
	return time.NewTimer(maxStreamAge - rand.N(maxStreamAge/10))
}

// ended waits for a change or a beat, and reports whether the stream is to end
// instead.
func (s *service) ended(ctx context.Context, age *time.Timer, changed <-chan struct{}, beat time.Duration) bool {
	timer := s.clock.NewTimer(beat)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
		return true
	case <-s.draining:
		return true
	case <-age.C:
		return true
	}
	return false
}
