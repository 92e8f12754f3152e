package promquery

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Observer is told how each request to a source ended and how long it took,
// the wait for a free slot not included. It may be called concurrently.
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
// HTTP settings (authentication, TLS, proxy) are then not used.
func WithTransport(rt http.RoundTripper) Option { return func(o *options) { o.transport = rt } }

// WithResponseLimit sets how many bytes an answer may have.
func WithResponseLimit(bytes int64) Option { return func(o *options) { o.limit = bytes } }

// WithUserAgent sets the User-Agent header.
func WithUserAgent(name string) Option { return func(o *options) { o.userAgent = name } }

// MaxPoints is how many instants one range query may ask for. It is what a
// Prometheus grants.
const MaxPoints = 11_000

// Source is one named server that answers PromQL. It is safe for concurrent use.
type Source struct {
	name string
}

// NewSource returns the source that cfg describes. It makes no request. The
// error joins all faults of the configuration.
func NewSource(cfg SourceConfig, opts ...Option) (*Source, error) {
	return &Source{name: cfg.Name}, nil
}

// Name returns the source's name.
func (s *Source) Name() string { return s.name }

// Instant evaluates the query at one instant, of whole milliseconds. The error
// is an [*Error].
func (s *Source) Instant(ctx context.Context, query string, at time.Time) (Answer, error) {
	return Answer{}, errors.New("not implemented")
}

// Range evaluates the query at from, from+step and so on up to to, inclusive:
// at most [MaxPoints] instants, all of whole milliseconds. The error is an
// [*Error].
func (s *Source) Range(ctx context.Context, query string, from, to time.Time, step time.Duration) (Answer, error) {
	return Answer{}, errors.New("not implemented")
}

// Close closes idle connections. Requests under way are not disturbed.
func (s *Source) Close() {}
