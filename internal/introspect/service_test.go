package introspect

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// stage is an engine whose state a test sets.
type stage struct {
	mu      sync.Mutex
	list    []engine.Status
	details []engine.Detail
	changed chan struct{}
}

func (s *stage) List() []engine.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list
}
func (s *stage) Explain(string, string) []engine.Detail { return s.details }
func (s *stage) Now() time.Time                         { return at }
func (s *stage) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// evaluate replaces the state, as an evaluation does.
func (s *stage) evaluate(list ...engine.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = list
	close(s.changed)
	s.changed = make(chan struct{})
}

// named returns a trigger of another ScaledObject.
func named(t *testing.T, namespace, name string) engine.Status {
	s := trig(t, nil)
	s.Key, s.Namespace, s.Name = namespace+"/"+name, namespace, name
	return s
}

func keys(list []*zmyv1.Trigger) string {
	var all []string
	for _, t := range list {
		all = append(all, t.GetKey())
	}
	return strings.Join(all, " ")
}

func TestList(t *testing.T) {
	s := New(&stage{list: []engine.Status{named(t, "a", "x"), named(t, "b", "y")}}, nil)
	for _, tt := range []struct{ namespace, want string }{{"", "a/x b/y"}, {"b", "b/y"}, {"c", ""}} {
		got, err := s.List(t.Context(), &zmyv1.ListRequest{Namespace: tt.namespace})
		if err != nil {
			t.Fatal(err)
		}
		if keys(got.GetTriggers()) != tt.want || !got.GetNow().AsTime().Equal(at) {
			t.Errorf("namespace %q: got %v, want %q", tt.namespace, got, tt.want)
		}
	}
}

func TestExplainOneMetric(t *testing.T) {
	one, two := scalingUp(t), scalingUp(t)
	two.Trigger = trig(t, map[string]string{"metricName": "night"}).Trigger
	s := New(&stage{details: []engine.Detail{one, two}}, nil)
	for _, tt := range []struct {
		metric string
		want   int
		code   codes.Code
	}{{"", 2, codes.OK}, {"night", 1, codes.OK}, {"day", 0, codes.NotFound}} {
		got, err := s.Explain(t.Context(), &zmyv1.ExplainRequest{Namespace: "shop", Name: "checkout", Metric: tt.metric})
		if status.Code(err) != tt.code || len(got.GetTriggers()) != tt.want {
			t.Errorf("metric %q: %d triggers, error %v, want %d and %v", tt.metric, len(got.GetTriggers()), err, tt.want, tt.code)
		}
		if tt.code != codes.OK && !strings.Contains(err.Error(), `"day" of shop/checkout`) {
			t.Errorf("the error does not say what is unknown: %v", err)
		}
	}
}

// TestWatch sends everything first, then only what changed, and what was forgotten.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b, other := named(t, "n", "a"), named(t, "n", "b"), named(t, "elsewhere", "c")
		stage := &stage{list: []engine.Status{a, b, other}, changed: make(chan struct{})}
		draining := make(chan struct{})
		updates, done := make(chan *zmyv1.WatchResponse, 8), make(chan error)
		go func() {
			done <- New(stage, draining).watch(t.Context(), "n", func(u *zmyv1.WatchResponse) error {
				updates <- u
				return nil
			})
		}()
		expect := func(triggers string, forgotten ...string) {
			t.Helper()
			<-time.After(pause)
			synctest.Wait()
			if len(updates) != 1 {
				t.Fatalf("%d updates, want 1", len(updates))
			}
			u := <-updates
			if keys(u.GetTriggers()) != triggers || strings.Join(u.GetForgotten(), " ") != strings.Join(forgotten, " ") {
				t.Fatalf("got %v, want %q and forgotten %q", u, triggers, forgotten)
			}
		}
		expect("n/a n/b")
		b.Told.Reason = decision.AtMax
		stage.evaluate(a, b, other)
		expect("n/b")
		stage.evaluate(a, b, other)
		expect("")
		// Many evaluations in a row are two updates: at once, and after a pause.
		a.Told.Reason = decision.AtMax
		for range 50 {
			stage.evaluate(a, b, other)
			synctest.Wait()
		}
		if u := <-updates; keys(u.GetTriggers()) != "n/a" {
			t.Fatalf("at once: %v", u)
		}
		expect("")
		stage.evaluate(b, other)
		expect("", "n/a")
		close(draining)
		if err := <-done; err != nil {
			t.Errorf("a watch that drains ends with %v", err)
		}
	})
}

func TestWatchEndsWithItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- New(&stage{changed: make(chan struct{})}, nil).watch(ctx, "", func(*zmyv1.WatchResponse) error { return nil })
		}()
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	gone := errors.New("gone")
	if err := New(&stage{}, nil).watch(t.Context(), "", func(*zmyv1.WatchResponse) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("a reader that is gone ends the watch with %v", err)
	}
}

func TestHTTP(t *testing.T) {
	mux := http.NewServeMux()
	New(&stage{list: []engine.Status{named(t, "a", "x"), named(t, "b", "y")}, details: []engine.Detail{scalingUp(t)}}, nil).Register(mux)
	for _, tt := range []struct {
		name, path  string
		code        int
		contentType string
		want        []string
		not         string
	}{
		{name: "list", path: "/api/v1/triggers", code: 200, contentType: "application/json", want: []string{`"scaledObject": "x"`, `"scaledObject": "y"`, `"healthy": true`}},
		{name: "list of a namespace", path: "/api/v1/triggers?namespace=a", code: 200, contentType: "application/json", want: []string{`"scaledObject": "x"`}, not: `"y"`},
		{name: "explain", path: "/api/v1/triggers/shop/checkout", code: 200, contentType: "application/json", want: []string{`"name": "scale_up_delay"`, `"left": "45s"`, `"state": "no data"`}},
		{name: "unknown metric", path: "/api/v1/triggers/shop/checkout?metric=day", code: 404, contentType: "text/plain; charset=utf-8", want: []string{"KEDA has not asked"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.path, nil))
			if w.Code != tt.code || w.Header().Get("Content-Type") != tt.contentType {
				t.Errorf("status %d, type %q, want %d and %q", w.Code, w.Header().Get("Content-Type"), tt.code, tt.contentType)
			}
			for _, want := range tt.want {
				if !strings.Contains(w.Body.String(), want) {
					t.Errorf("%s is missing in %s", want, w.Body)
				}
			}
			if tt.not != "" && strings.Contains(w.Body.String(), tt.not) {
				t.Errorf("%s should not be in %s", tt.not, w.Body)
			}
		})
	}
}
