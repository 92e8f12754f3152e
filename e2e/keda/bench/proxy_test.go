package bench

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// mode is what a proxy does with requests.
type mode int

const (
	pass mode = iota
	// drop ends connections without an answer, as a server that dies does.
	drop
	// hang never answers.
	hang
)

// linger is how long after a request came it is counted who is under way: a client
// that has an answer, or has given up, may send the next request before the proxy
// has seen the end of that one.
const linger = 50 * time.Millisecond

// What a query must have in it to be poison.
const (
	poisonParse = "poison_parse"
	poisonSlow  = "poison_slow"
)

// proxy stands before a Prometheus and counts.
type proxy struct {
	*httptest.Server

	forward http.Handler

	mu       sync.Mutex
	mode     mode
	requests int // in all
	under    int // under way
	most     int // under way at a time
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{forward: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) },
		// Prometheus takes 512 connections; on more than that a request would hang.
		Transport: &http.Transport{MaxIdleConnsPerHost: 256, MaxConnsPerHost: 256},
		// A client that gives up is none of the proxy's business.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(func() {
		p.set(drop)
		p.CloseClientConnections()
		p.Close()
	})
	return p
}

func (p *proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
}

// counted returns how many requests came so far.
func (p *proxy) counted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

// mostAtOnce returns how many requests were under way at a time at the most, since
// it was last called.
func (p *proxy) mostAtOnce() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := p.most
	p.most = 0
	return most
}

// note notes how many requests are under way.
func (p *proxy) note() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = max(p.most, p.under)
}

// ServeHTTP implements http.Handler.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.requests++
	p.under++
	m := p.mode
	p.mu.Unlock()
	time.AfterFunc(linger, p.note)
	defer func() {
		p.mu.Lock()
		p.under--
		p.mu.Unlock()
	}()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	asked := r.URL.RawQuery + string(body)
	switch {
	case m == drop:
		panic(http.ErrAbortHandler)
	case m == hang, strings.Contains(asked, poisonSlow):
		<-r.Context().Done()
	case strings.Contains(asked, poisonParse):
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"status":"error","errorType":"bad_data","error":"1:1: parse error: unknown function with name \"poison_parse\""}`)
	default:
		p.forward.ServeHTTP(w, r)
	}
}
