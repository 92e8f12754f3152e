package promquery

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

const (
	// DefaultResponseLimit is how many bytes an answer may have: 8 MiB. What reads it
	// takes some times as much, for each request that is under way.
	DefaultResponseLimit = 8 << 20
	// MaxPoints is how many instants one range query may ask for. It is what a
	// Prometheus grants.
	MaxPoints = 11_000
)

// Observer is told how each request to a source ended and how long it took. A
// request that found no free slot in time took no time. It may be called
// concurrently.
type Observer func(source string, result Kind, took time.Duration)

// Option changes how [NewSource] builds a source.
type Option func(*options)

type options struct {
	observer  Observer
	transport http.RoundTripper
	limit     int64
	userAgent string
}

// WithObserver has every request reported to f.
func WithObserver(f Observer) Option { return func(o *options) { o.observer = f } }

// WithTransport sends requests through rt instead of the network. The source's
// HTTP settings for authentication, TLS and proxy are then not used.
func WithTransport(rt http.RoundTripper) Option { return func(o *options) { o.transport = rt } }

// WithResponseLimit sets how many bytes an answer may have.
func WithResponseLimit(bytes int64) Option { return func(o *options) { o.limit = bytes } }

// WithUserAgent sets the User-Agent header.
func WithUserAgent(name string) Option { return func(o *options) { o.userAgent = name } }

// Source is one named server that answers PromQL. It is safe for concurrent use.
type Source struct {
	name     string
	client   *http.Client
	api      api.Client
	slots    chan struct{}
	observer Observer
}

var _ Querier = (*Source)(nil)

// NewSource returns the source that cfg describes. It makes no request. The
// error joins all faults of the configuration.
func NewSource(cfg SourceConfig, opts ...Option) (*Source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("source %q: %w", cfg.Name, err)
	}
	o := options{
		observer:  func(string, Kind, time.Duration) {},
		limit:     DefaultResponseLimit,
		userAgent: "zmy-scaler",
	}
	for _, opt := range opts {
		opt(&o)
	}
	client, err := newHTTPClient(cfg, o)
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", cfg.Name, err)
	}
	c, err := api.NewClient(api.Config{Address: cfg.URL, Client: client})
	if err != nil {
		return nil, fmt.Errorf("source %q: %w", cfg.Name, err)
	}
	return &Source{
		name:     cfg.Name,
		client:   client,
		api:      c,
		slots:    make(chan struct{}, cfg.MaxConcurrency),
		observer: o.observer,
	}, nil
}

// Name returns the source's name.
func (s *Source) Name() string { return s.name }

// Close closes idle connections. Requests under way are not disturbed.
func (s *Source) Close() { s.client.CloseIdleConnections() }

// Instant evaluates the query at one instant, of whole milliseconds. The error
// is an [*Error].
func (s *Source) Instant(ctx context.Context, query string, at time.Time) (Answer, error) {
	return ask(ctx, s, query, func(opts ...v1.Option) (Answer, error) {
		r, err := s.instant(ctx, query, "", at, opts)
		if err != nil {
			return Answer{}, err
		}
		point, err := instantPoint(r, at)
		if err != nil {
			return Answer{}, err
		}
		return Answer{Points: []Point{point}, Warnings: r.warnings}, nil
	})
}

// Range evaluates the query at from, from+step and so on up to to, inclusive:
// at most [MaxPoints] instants, all of whole milliseconds. The error is an
// [*Error].
func (s *Source) Range(ctx context.Context, query string, from, to time.Time, step time.Duration) (Answer, error) {
	return ask(ctx, s, query, func(opts ...v1.Option) (Answer, error) {
		steps, err := newSteps(from, to, step)
		if err != nil {
			return Answer{}, err
		}
		r, err := s.matrix(ctx, query, "", v1.Range{Start: from, End: to, Step: step}, opts)
		if err != nil {
			return Answer{}, err
		}
		points, err := steps.points(r)
		if err != nil {
			return Answer{}, err
		}
		return Answer{Points: points, Warnings: r.warnings}, nil
	})
}

// Split evaluates several queries by one request that answers for all of them,
// as [Source.Range] does, or as [Source.Instant] where from is to. It returns
// one answer a key, each what the query behind the key would have given if it
// had been asked alone: warnings come with the whole, and so with each. The
// error is an [*Error]; a series that belongs to no key is one.
func (s *Source) Split(ctx context.Context, query string, by By, from, to time.Time, step time.Duration) ([]Answer, error) {
	return ask(ctx, s, query, func(opts ...v1.Option) ([]Answer, error) {
		if from.Equal(to) {
			r, err := s.instant(ctx, query, by.Label, from, opts)
			if err == nil && r.kind != kindVector {
				err = garbage("the answer for several queries is a %s, no vector", r.kind)
			}
			if err != nil {
				return nil, err
			}
			return instant(from).split(r, by.Keys)
		}
		steps, err := newSteps(from, to, step)
		if err != nil {
			return nil, err
		}
		r, err := s.matrix(ctx, query, by.Label, v1.Range{Start: from, End: to, Step: step}, opts)
		if err != nil {
			return nil, err
		}
		return steps.split(r, by.Keys)
	})
}

// instant sends an instant query and returns what came.
func (s *Source) instant(ctx context.Context, query, label string, at time.Time, opts []v1.Option) (*reply, error) {
	g := &guard{Client: s.api, label: label}
	_, _, _, err := v1.NewAPI(g).Query(ctx, query, at, opts...)
	return g.reply, err
}

// matrix sends a range query and returns the matrix that came.
func (s *Source) matrix(ctx context.Context, query, label string, r v1.Range, opts []v1.Option) (*reply, error) {
	g := &guard{Client: s.api, label: label}
	_, _, _, err := v1.NewAPI(g).QueryRange(ctx, query, r, opts...)
	if err == nil && g.reply.kind != kindMatrix {
		err = garbage("the answer to a range query is a %s, no matrix", g.reply.kind)
	}
	return g.reply, err
}

// ask takes a slot, runs the call and reports how it went.
func ask[T any](ctx context.Context, s *Source, query string, call func(...v1.Option) (T, error)) (T, error) {
	var none T
	if err := s.acquire(ctx); err != nil {
		err := s.failure(ctx, query, err)
		s.observer(s.name, err.Kind, 0)
		return none, err
	}
	type result struct {
		answer T
		err    error
	}
	began := time.Now()
	done := make(chan result, 1)
	go func() {
		// The call may outlive ctx: fetching an OAuth 2 token knows no deadline.
		// The caller must not wait for that; the slot stays taken until the end.
		defer func() { <-s.slots }()
		answer, err := call(timeoutOption(ctx)...)
		done <- result{answer, err}
	}()
	var r result
	select {
	case r = <-done:
	case <-ctx.Done():
		r.err = ctx.Err()
	}
	if r.err != nil {
		err := s.failure(ctx, query, r.err)
		s.observer(s.name, err.Kind, time.Since(began))
		return none, err
	}
	s.observer(s.name, KindOK, time.Since(began))
	return r.answer, nil
}

func (s *Source) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for one of %d slots: %w", cap(s.slots), ctx.Err())
	}
}

// timeoutOption tells the server the deadline of ctx, so that it stops working
// for a client that has left. Rounded up to whole seconds: the API knows no
// fractions of a unit, and the connection is cut at the exact time anyway.
func timeoutOption(ctx context.Context) []v1.Option {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil
	}
	left := time.Until(deadline) + time.Second - 1
	return []v1.Option{v1.WithTimeout(max(left.Truncate(time.Second), time.Second))}
}
