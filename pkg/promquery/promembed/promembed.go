// Package promembed runs a Prometheus inside this process: the real query engine
// on a storage without a write-ahead log, behind the HTTP query API. The demo
// and the tests use it. Nothing survives Close.
package promembed

import (
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
)

// Options change how [Open] builds a server. The zero value is usable.
type Options struct {
	// Dir is where a temporary directory is made, by default the system's.
	Dir string
	// Lookback is how long a sample counts after its time: 5 minutes by default.
	Lookback time.Duration
	// Timeout is how long a query may run: 2 minutes by default.
	Timeout time.Duration
	// MaxSamples is how many samples a query may load: 50 million by default.
	MaxSamples int
	// Now is the clock for queries without a time, by default time.Now.
	Now func() time.Time
}

// Sample is one value of one series. T has millisecond resolution.
type Sample struct {
	Labels labels.Labels
	T      time.Time
	V      float64
	// H, when set, is stored instead of V.
	H *histogram.FloatHistogram
}

// Server is an embedded Prometheus. It is safe for concurrent use.
type Server struct{}

// Open starts an empty server. Close it.
func Open(o Options) (*Server, error) { return nil, errors.New("not implemented") }

// Append stores the samples, all or none. Samples of one series must come in
// the order of time.
func (s *Server) Append(samples ...Sample) error { return errors.New("not implemented") }

// Truncate forgets samples older than t, or a little later, to save memory.
func (s *Server) Truncate(t time.Time) error { return errors.New("not implemented") }

// ServeHTTP serves /api/v1/query, /api/v1/query_range and /-/ready.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}

// Close stops the server and removes what it kept on disk.
func (s *Server) Close() error { return nil }
