// Package promquerytest gives tests a real Prometheus engine and storage behind
// an HTTP server, with switches for the faults that a real one cannot be asked
// to produce.
package promquerytest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// Server is a Prometheus for one test. It is safe for concurrent use.
type Server struct {
	// URL is the server's address.
	URL string

	t        testing.TB
	http     *httptest.Server
	embedded *promembed.Server

	mu       sync.Mutex
	fault    http.HandlerFunc
	cleared  chan struct{}
	warning  string
	requests []Request
	arrived  chan struct{}
}

// Request is one request that reached the server.
type Request struct {
	// Path is /api/v1/query or /api/v1/query_range.
	Path string
	// Header holds the headers of the request.
	Header http.Header
	// Form holds the parameters of the URL and of the body.
	Form url.Values
	// Query is the PromQL.
	Query string
	// Start and End are the instants asked for, equal in an instant query.
	Start, End time.Time
	// Step is 0 in an instant query.
	Step time.Duration
}

// Instant reports whether it is an instant query.
func (r Request) Instant() bool { return strings.HasSuffix(r.Path, "/query") }

// New starts a server loaded with series from the Unix epoch on, in the notation
// of promqltest: "load 15s" and, below it, lines such as zmy{job="a"} 0.95x20.
// There may be several loads, or none. The end of the test closes the server.
func New(t testing.TB, series string) *Server {
	t.Helper()
	s := &Server{t: t, cleared: make(chan struct{}), arrived: make(chan struct{})}
	embedded, err := promembed.Open(promembed.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatalf("promquerytest: %v", err)
	}
	s.embedded = embedded
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	t.Cleanup(s.close)
	s.loadBlocks(series)
	return s
}

func (s *Server) close() {
	s.Up()
	s.http.CloseClientConnections()
	s.http.Close()
	if err := s.embedded.Close(); err != nil {
		s.t.Errorf("promquerytest: %v", err)
	}
}

// loadBlocks reads "load <step>" and the series below it, any number of times.
func (s *Server) loadBlocks(text string) {
	s.t.Helper()
	var block []string
	var step time.Duration
	flush := func() {
		s.t.Helper()
		if len(block) > 0 {
			s.Load(time.Unix(0, 0), step, strings.Join(block, "\n"))
			block = nil
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		rest, isLoad := strings.CutPrefix(line, "load ")
		if !isLoad {
			block = append(block, line)
			continue
		}
		flush()
		d, err := model.ParseDuration(strings.TrimSpace(rest))
		if err != nil {
			s.t.Fatalf("promquerytest: %q: %v", line, err)
		}
		step = time.Duration(d)
	}
	if step == 0 && strings.TrimSpace(strings.Join(block, "")) != "" {
		s.t.Fatalf("promquerytest: series without a line such as %q before them", "load 15s")
	}
	flush()
}

// Load appends series in the notation "name{labels} values", one per line: the
// first value at start, the others a step apart each. In the values "_" leaves
// a step out and "stale" ends the series. Lines that start with # are skipped.
func (s *Server) Load(start time.Time, step time.Duration, series string) {
	s.t.Helper()
	var samples []promembed.Sample
	for line := range strings.Lines(series) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		metric, values, err := parser.NewParser(parser.Options{}).ParseSeriesDesc(line)
		if err != nil {
			s.t.Fatalf("promquerytest: %q: %v", line, err)
		}
		for i, v := range values {
			if !v.Omitted {
				at := start.Add(time.Duration(i) * step)
				samples = append(samples, promembed.Sample{Labels: metric, T: at, V: v.Value, H: v.Histogram})
			}
		}
	}
	s.Append(samples...)
}

// Append stores samples; those of one series must come in the order of time.
func (s *Server) Append(samples ...promembed.Sample) {
	s.t.Helper()
	if err := s.embedded.Append(s.t.Context(), samples...); err != nil {
		s.t.Fatalf("promquerytest: %v", err)
	}
}

// Requests returns the requests so far, faulty ones too, the oldest first.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Await returns when n requests are on the list, or ctx ends.
func (s *Server) Await(ctx context.Context, n int) error {
	for {
		s.mu.Lock()
		have, arrived := len(s.requests), s.arrived
		s.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d requests arrived: %w", have, n, ctx.Err())
		}
	}
}

// Forget clears the list of requests.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}
