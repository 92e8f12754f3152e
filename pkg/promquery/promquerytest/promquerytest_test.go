package promquerytest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

const series = `
load 15s
  # idle, then gone
  zmy{job="a"} 0.95x2 _ 0.5 stale
  up 1x4

load 1m
  slow 1 2 3`

// get fetches a path and returns the status and the body, or an error.
func get(ctx context.Context, s *promquerytest.Server, path string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), errors.Join(err, resp.Body.Close())
}

func mustGet(t *testing.T, s *promquerytest.Server, path string) string {
	t.Helper()
	_, body, err := get(t.Context(), s, path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestLoad(t *testing.T) {
	s := promquerytest.New(t, series)
	got := mustGet(t, s, "/api/v1/query_range?query=zmy&start=0&end=60&step=15")
	if want := `"values":[[0,"0.95"],[15,"0.95"],[30,"0.95"],[45,"0.95"]`; !strings.Contains(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := mustGet(t, s, "/api/v1/query?query=slow&time=120"); !strings.Contains(got, `[120,"3"]`) {
		t.Error(got)
	}
	s.Load(time.Unix(1_700_000_000, 0), time.Second, "zmy 7 8\n\n# nothing")
	if got := mustGet(t, s, "/api/v1/query?query=zmy&time=1700000001"); !strings.Contains(got, `[1700000001,"8"]`) {
		t.Error(got)
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name   string
		set    func(*promquerytest.Server)
		status int
		want   string // "" when the connection is to break
	}{
		{name: "none", set: func(*promquerytest.Server) {}, status: 200, want: `"0.95"`},
		{name: "status", set: func(s *promquerytest.Server) { s.Fail(503) }, status: 503, want: "<html>Service Unavailable"},
		{name: "garbage", set: func(s *promquerytest.Server) { s.Garbage([]byte("{")) }, status: 200, want: "{"},
		{name: "answer", set: func(s *promquerytest.Server) { s.Answer(418, []byte("tea")) }, status: 418, want: "tea"},
		{name: "handler", set: func(s *promquerytest.Server) { s.Handle(http.NotFoundHandler()) }, status: 404, want: "not found"},
		{name: "down", set: (*promquerytest.Server).Down},
		{name: "warning", set: func(s *promquerytest.Server) { s.Warn("half") }, status: 200, want: `"warnings":["half"]`},
		{name: "warning cleared", set: func(s *promquerytest.Server) { s.Warn("half"); s.Warn("") }, status: 200, want: `"0.95"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := promquerytest.New(t, series)
			tt.set(s)
			status, body, err := get(t.Context(), s, "/api/v1/query?query=zmy&time=0")
			if (err != nil) != (tt.want == "") || status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("%d, %s, %v, want %d, %s", status, body, err, tt.status, tt.want)
			}
			s.Up()
			s.Warn("")
			if got := mustGet(t, s, "/api/v1/query?query=zmy&time=0"); !strings.Contains(got, `"0.95"`) || strings.Contains(got, "warnings") {
				t.Errorf("after Up: %s", got)
			}
		})
	}
}

func TestHang(t *testing.T) {
	s := promquerytest.New(t, series)
	s.Hang()
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	ask := func(ctx context.Context) {
		_, _, err := get(ctx, s, "/api/v1/query?query=zmy")
		failed <- err
	}
	go ask(ctx)
	if err := s.Await(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-failed; err == nil {
		t.Error("a request that was canceled succeeded")
	}
	go ask(t.Context())
	if err := s.Await(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	s.Up()
	if err := <-failed; err == nil {
		t.Error("a request that was dropped succeeded")
	}
	if err := s.Await(ctx, 3); err == nil || !strings.Contains(err.Error(), "2 of 3") {
		t.Errorf("awaited one too many: %v", err)
	}
}

func TestRequests(t *testing.T) {
	s := promquerytest.New(t, series)
	mustGet(t, s, "/api/v1/query?query=zmy&time=1.5&timeout=3s")
	mustGet(t, s, "/api/v1/query_range?query=up&start=-0.5&end=60&step=7.5")
	mustGet(t, s, "/api/v1/query?time=x")
	type brief struct {
		query      string
		instant    bool
		start, end time.Time
		step       time.Duration
		timeout    string
	}
	var got []brief
	for _, r := range s.Requests() {
		got = append(got, brief{r.Query, r.Instant(), r.Start, r.End, r.Step, r.Form.Get("timeout")})
	}
	at := func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
	want := []brief{
		{"zmy", true, at(1500), at(1500), 0, "3s"},
		{"up", false, at(-500), at(60_000), 7500 * time.Millisecond, ""},
		{"", true, at(0), at(0), 0, ""},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(brief{})); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	s.Forget()
	if left := s.Requests(); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	if mustGet(t, s, "/api/v1/query"); s.Requests()[0].Start != (time.Time{}) {
		t.Error("a request without a time has one")
	}
}

// TestMistakes runs itself again with series that are no good: the test that
// loads them must fail with words about it.
func TestMistakes(t *testing.T) {
	const variable = "PROMQUERYTEST_SERIES"
	if text := os.Getenv(variable); text != "" {
		promquerytest.New(t, text)
		return
	}
	tests := []struct {
		name   string
		series string
		want   string
	}{
		{name: "no load", series: "zmy 1", want: `series without a line such as "load 15s"`},
		{name: "bad step", series: "load soon\n zmy 1", want: "load soon"},
		{name: "bad series", series: "load 15s\n zmy{ 1", want: "zmy{ 1"},
		{name: "twice", series: "load 15s\n zmy 1\n zmy 2", want: "append to"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMistakes$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s", variable, tt.series))
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), tt.want) {
				t.Errorf("%v, %s\nwant %s", err, out, tt.want)
			}
		})
	}
}
