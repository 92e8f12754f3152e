package fleet_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/fleet"
)

func request(t *testing.T, h http.Handler, method, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w.Code, w.Body.String()
}

// samples returns the body without its comments.
func samples(body string) string {
	var b strings.Builder
	for line := range strings.Lines(body) {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestHandler(t *testing.T) {
	t.Parallel()
	f := make1(t, fleet.Config{Replicas: 4, BusyCPU: 0.8})
	h := f.Handler()
	if code, body := request(t, h, http.MethodPut, "/demand?busy=1"); code != http.StatusNoContent {
		t.Fatalf("demand: %d %s", code, body)
	}
	f.Step(at(10 * time.Second))
	_, body := request(t, h, http.MethodGet, "/metrics")
	want := "queue_waiting 0\nworker_cpu_ratio 0.2\nworkers_ready 4\nworkers_spec 4\nzmy 0.75\n"
	if d := cmp.Diff(want, samples(body)); d != "" {
		t.Errorf("metrics (-want +got):\n%s", d)
	}

	if code, body := request(t, h, http.MethodPut, "/replicas?n=0"); code != http.StatusNoContent {
		t.Fatalf("replicas: %d %s", code, body)
	}
	f.Step(at(20 * time.Second))
	_, body = request(t, h, http.MethodGet, "/metrics")
	want = "queue_waiting 10\nworkers_ready 0\nworkers_spec 0\n"
	if d := cmp.Diff(want, samples(body)); d != "" {
		t.Errorf("metrics at zero (-want +got):\n%s", d)
	}
}

func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	h := make1(t, fleet.Config{Replicas: 1}).Handler()
	for _, path := range []string{
		"/demand", "/demand?busy=-1", "/demand?busy=NaN", "/demand?busy=Inf",
		"/replicas", "/replicas?n=-1", "/replicas?n=1.5", "/replicas?n=100000",
	} {
		if code, body := request(t, h, http.MethodPut, path); code != http.StatusBadRequest || body == "" {
			t.Errorf("PUT %s: %d %q, want 400 and why", path, code, body)
		}
	}
}
