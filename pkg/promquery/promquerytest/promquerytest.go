// Package promquerytest gives tests a real Prometheus engine and storage behind
// an HTTP server, with switches for the faults that a real one cannot be asked
// to produce.
package promquerytest

import (
	"net/url"
	"testing"
	"time"
)

// Server is a Prometheus for one test.
type Server struct {
	// URL is the server's address.
	URL string
}

// Request is one request that reached the server.
type Request struct {
	// Path is /api/v1/query or /api/v1/query_range.
	Path string
	// Form holds the parameters of the URL and of the body.
	Form url.Values
	// Query is the PromQL.
	Query string
	// Start and End are the instants asked for, equal in an instant query.
	Start, End time.Time
	// Step is 0 in an instant query.
	Step time.Duration
}

// New starts a server loaded with series from the Unix epoch on, in the notation
// of promqltest: "load 15s" and, indented below, lines such as
// zmy{job="a"} 0.95x20. The test's end closes it.
func New(t testing.TB, series string) *Server { return nil }

// Load appends series in the notation "name{labels} values", one per line: the
// first value at start, the others a step apart each.
func (s *Server) Load(start time.Time, step time.Duration, series string) {}

// Fail has every request answered with the HTTP status.
func (s *Server) Fail(status int) {}

// Garbage has every request answered with status 200 and the bytes.
func (s *Server) Garbage(body []byte) {}

// Hang has every request wait until the client leaves or the fault is cleared.
func (s *Server) Hang() {}

// Warn adds a warning to every answer.
func (s *Server) Warn(text string) {}

// Down has every connection cut without an answer.
func (s *Server) Down() {}

// Up clears every fault.
func (s *Server) Up() {}

// Requests returns the requests so far, faulty ones too, the oldest first.
func (s *Server) Requests() []Request { return nil }

// Forget clears the list of requests.
func (s *Server) Forget() {}
