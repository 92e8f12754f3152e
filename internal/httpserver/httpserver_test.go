package httpserver_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/infra-arch/zmy-scaler/internal/httpserver"
)

// serve starts a server and returns its address, and what ends it.
func serve(t *testing.T, o httpserver.Options) (string, func()) {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Registry, o.Log = prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	o.API = func(mux *http.ServeMux) {
		mux.HandleFunc("GET /api/v1/triggers", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "the API")
		})
	}
	s := httpserver.New(o)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	return "http://" + l.Addr().String(), func() {
		t.Helper()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	var live, ready atomic.Bool
	url, stop := serve(t, httpserver.Options{Live: live.Load, Ready: ready.Load})
	defer stop()
	tests := []struct {
		name, path  string
		live, ready bool
		code        int
		text        string
	}{
		{name: "live", path: "/livez", live: true, code: 200, text: "ok"},
		{name: "stuck", path: "/livez", ready: true, code: 503, text: "the evaluation loop is stuck"},
		{name: "ready", path: "/readyz", ready: true, code: 200, text: "ok"},
		{name: "not ready", path: "/readyz", live: true, code: 503, text: "not taking calls"},
		{name: "metrics", path: "/metrics", code: 200, text: "promhttp_metric_handler"},
		{name: "profiles are not there unless asked for", path: "/debug/pprof/", code: 404},
		{name: "the API", path: "/api/v1/triggers", code: 200, text: "the API"},
		{name: "the page", path: "/", code: 200, text: "<title>zmy-scaler</title>"},
		{name: "nothing else", path: "/etc/passwd", code: 404},
	}
	for _, tt := range tests {
		live.Store(tt.live)
		ready.Store(tt.ready)
		code, text := get(t, url+tt.path)
		if code != tt.code || !strings.Contains(text, tt.text) {
			t.Errorf("%s: %d, %q; want %d, %q", tt.name, code, text, tt.code, tt.text)
		}
	}
}

func TestProfiling(t *testing.T) {
	t.Parallel()
	url, stop := serve(t, httpserver.Options{Profiling: true})
	defer stop()
	if code, text := get(t, url+"/debug/pprof/"); code != 200 || !strings.Contains(text, "goroutine") {
		t.Errorf("%d, %q", code, text)
	}
}
