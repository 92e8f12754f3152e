package introspect

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// Engine is what the service tells of. [engine.Engine] is the one.
type Engine interface {
	// List returns the state of every known trigger in a fixed order.
	List() []engine.Status
	// Explain returns the triggers of one ScaledObject in depth.
	Explain(namespace, name string) []engine.Detail
	// Changed returns a channel that is closed when triggers have been evaluated.
	Changed() <-chan struct{}
	// Now returns the time on the engine's clock.
	Now() time.Time
}

// Service answers questions about triggers. It implements zmy.v1.Introspection
// and is what the HTTP handlers ask.
type Service struct {
	zmyv1.UnimplementedIntrospectionServer

	engine Engine
	// draining is closed when streams must end.
	draining <-chan struct{}
}

// New returns a service whose streams end when draining is closed.
func New(e Engine, draining <-chan struct{}) *Service {
	return &Service{engine: e, draining: draining}
}

// List implements zmy.v1.Introspection.
func (s *Service) List(_ context.Context, r *zmyv1.ListRequest) (*zmyv1.ListResponse, error) {
	now := s.engine.Now()
	return &zmyv1.ListResponse{Triggers: s.triggers(r.GetNamespace(), now), Now: timestamppb.New(now)}, nil
}

func (s *Service) triggers(namespace string, now time.Time) []*zmyv1.Trigger {
	var all []*zmyv1.Trigger
	for _, st := range s.engine.List() {
		if namespace == "" || st.Namespace == namespace {
			all = append(all, Trigger(st, now))
		}
	}
	return all
}

// Explain implements zmy.v1.Introspection.
func (s *Service) Explain(_ context.Context, r *zmyv1.ExplainRequest) (*zmyv1.ExplainResponse, error) {
	now := s.engine.Now()
	out := &zmyv1.ExplainResponse{Now: timestamppb.New(now)}
	for _, d := range s.engine.Explain(r.GetNamespace(), r.GetName()) {
		if r.GetMetric() == "" || d.Trigger.MetricName == r.GetMetric() {
			out.Triggers = append(out.Triggers, Explanation(d, now))
		}
	}
	if len(out.Triggers) == 0 {
		what := r.GetNamespace() + "/" + r.GetName()
		if r.GetMetric() != "" {
			what = fmt.Sprintf("metric %q of %s", r.GetMetric(), what)
		}
		return nil, status.Errorf(codes.NotFound, "KEDA has not asked this scaler for %s, or not in the last %v", what, engine.ForgetAfter)
	}
	return out, nil
}

// Watch implements zmy.v1.Introspection.
func (s *Service) Watch(r *zmyv1.WatchRequest, stream zmyv1.Introspection_WatchServer) error {
	return s.watch(stream.Context(), r.GetNamespace(), stream.Send)
}

// pause is the least time between two updates of a watch: right after a start there
// are many evaluations of a few triggers each.
const pause = time.Second

// watch sends all triggers, and then what changed by evaluations, until ctx ends, the
// service drains, or nobody takes what is sent.
func (s *Service) watch(ctx context.Context, namespace string, send func(*zmyv1.WatchResponse) error) error {
	sent := map[string]*zmyv1.Trigger{}
	for {
		changed := s.engine.Changed()
		now := s.engine.Now()
		update := difference(sent, s.triggers(namespace, now))
		update.Now = timestamppb.New(now)
		if err := send(update); err != nil {
			return err
		}
		quiet, done := context.WithTimeout(ctx, pause)
		over := s.ended(ctx, quiet.Done()) || s.ended(ctx, changed)
		done()
		if over {
			return nil
		}
	}
}

// ended waits, and reports whether the watch has ended meanwhile.
func (s *Service) ended(ctx context.Context, until <-chan struct{}) bool {
	select {
	case <-until:
		return ctx.Err() != nil
	case <-ctx.Done():
		return true
	case <-s.draining:
		return true
	}
}

// difference returns what is new since sent, and brings sent up to date.
func difference(sent map[string]*zmyv1.Trigger, now []*zmyv1.Trigger) *zmyv1.WatchResponse {
	out := &zmyv1.WatchResponse{}
	known := make(map[string]bool, len(now))
	for _, t := range now {
		known[t.GetKey()] = true
		if !proto.Equal(sent[t.GetKey()], t) {
			sent[t.GetKey()] = t
			out.Triggers = append(out.Triggers, t)
		}
	}
	for key := range sent {
		if !known[key] {
			delete(sent, key)
			out.Forgotten = append(out.Forgotten, key)
		}
	}
	return out
}
