package promquerytest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"
)

// Fail has every request answered with the HTTP status and a text that is no
// JSON, as a proxy would.
func (s *Server) Fail(status int) {
	s.set(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<html>"+http.StatusText(status)+"</html>", status)
	})
}

// Garbage has every request answered with status 200 and the bytes.
func (s *Server) Garbage(body []byte) { s.Answer(http.StatusOK, body) }

// Answer has every request answered with the status and the bytes.
func (s *Server) Answer(status int, body []byte) {
	body = bytes.Clone(body)
	s.set(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
}

// Hang has every request wait until its client leaves or the fault changes. It
// is then dropped without an answer.
func (s *Server) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	cleared := s.replace()
	s.fault = func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-cleared:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler)
	}
}

// Down has every connection cut without an answer.
func (s *Server) Down() {
	s.set(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
}

// Handle has every request answered by h.
func (s *Server) Handle(h http.Handler) { s.set(h.ServeHTTP) }

// Up clears every fault but a warning, and drops requests that hang.
func (s *Server) Up() { s.set(nil) }

// Warn adds a warning to every real answer; an empty text ends that.
func (s *Server) Warn(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.warning = text
}

func (s *Server) set(fault http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace()
	s.fault = fault
}

// replace drops the requests that hang and returns the channel that is closed
// when the next fault replaces this one. The caller holds mu.
func (s *Server) replace() chan struct{} {
	close(s.cleared)
	s.cleared = make(chan struct{})
	return s.cleared
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	// Read the form here: it also tells the server when the client leaves.
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, newRequest(r))
	close(s.arrived)
	s.arrived = make(chan struct{})
	fault, warning := s.fault, s.warning
	s.mu.Unlock()
	switch {
	case fault != nil:
		fault(w, r)
	case warning != "":
		s.serveWithWarning(w, r, warning)
	default:
		s.embedded.ServeHTTP(w, r)
	}
}

func (s *Server) serveWithWarning(w http.ResponseWriter, r *http.Request, warning string) {
	recorded := httptest.NewRecorder()
	s.embedded.ServeHTTP(recorded, r)
	var body map[string]any
	if err := json.Unmarshal(recorded.Body.Bytes(), &body); err != nil {
		s.t.Errorf("promquerytest: %v", err)
		return
	}
	warnings, _ := body["warnings"].([]any)
	body["warnings"] = append(warnings, warning)
	w.WriteHeader(recorded.Code)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		s.t.Errorf("promquerytest: %v", err)
	}
}

func newRequest(r *http.Request) Request {
	q := Request{Path: r.URL.Path, Header: r.Header.Clone(), Form: r.Form, Query: r.Form.Get("query")}
	if q.Instant() {
		q.Start = unix(r.Form.Get("time"))
		q.End = q.Start
		return q
	}
	q.Start, q.End = unix(r.Form.Get("start")), unix(r.Form.Get("end"))
	q.Step = time.Duration(millis(r.Form.Get("step"))) * time.Millisecond
	return q
}

// unix reads Unix seconds, the zero time when there are none.
func unix(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	return time.UnixMilli(millis(text)).UTC()
}

// millis reads seconds as milliseconds.
func millis(text string) int64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	if f < 0 {
		return int64(f*1000 - 0.5)
	}
	return int64(f*1000 + 0.5)
}
