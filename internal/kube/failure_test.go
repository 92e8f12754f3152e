package kube

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// lookFor looks with a deadline, and fails if it is not kept.
func lookFor(t *testing.T, r *Reader, d time.Duration) (View, time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	start := time.Now()
	view := r.Look(ctx, "shop", "worker", ours())
	took := time.Since(start)
	if took > d {
		t.Errorf("Look took %v, its caller had %v", took, d)
	}
	return view, took
}

func TestUnreachableAtStart(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(api *apiServer)
		mend  func(api *apiServer)
	}{
		{
			name:  "nobody listens",
			spoil: func(api *apiServer) { api.kill() },
			mend:  func(api *apiServer) { api.set(func() { api.down = false }) },
		},
		{
			name: "it hangs",
			spoil: func(api *apiServer) {
				api.set(func() { api.hang["scaledobjects"], api.hang["horizontalpodautoscalers"] = true, true })
			},
			mend: func(api *apiServer) {
				api.set(func() { clear(api.hang) })
				api.drop()
			},
		},
		{
			name:  "it is in trouble",
			spoil: func(api *apiServer) { api.set(func() { api.refuse["scaledobjects"] = http.StatusInternalServerError }) },
			mend:  func(api *apiServer) { api.set(func() { clear(api.refuse) }) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPIServer(t)
				api.fleet(3)
				c.spoil(api)
				r := api.start(t)
				nothing := View{Fleet: decision.Fleet{Tolerance: defaults()}}

				first, took := lookFor(t, r, time.Second)
				same(t, "view within a second", nothing, first)
				if took != time.Second {
					t.Errorf("the first look gave up after %v", took)
				}
				if _, took = lookFor(t, r, time.Minute); took > grace {
					t.Errorf("the second look took %v, more than the grace", took)
				}
				_, took = lookFor(t, r, time.Minute)
				same(t, "wait once the grace is over", 0, took)

				c.mend(api)
				elapse(time.Minute)
				got, _ := lookFor(t, r, time.Minute)
				same(t, "view after recovery", seen(nil), got)
			})
		})
	}
}

func TestForbidden(t *testing.T) {
	unknown := decision.Count{}
	for _, c := range []struct {
		name, resource string
		want           View
	}{
		{name: "pods", resource: "pods", want: seen(func(v *View) { v.Fleet.Ready = unknown })},
		{
			name: "deployments", resource: "deployments",
			want: seen(func(v *View) { v.Fleet.Spec, v.Fleet.Status, v.Fleet.Ready = unknown, unknown, unknown }),
		},
		{name: "HPAs", resource: "horizontalpodautoscalers", want: seen(nil)},
		{
			name: "scaled objects", resource: "scaledobjects",
			want: View{Fleet: decision.Fleet{Tolerance: defaults()}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPIServer(t)
				api.fleet(3)
				api.set(func() { api.refuse[c.resource] = http.StatusForbidden })
				r := api.start(t)
				got, took := lookFor(t, r, time.Minute)
				same(t, "wait", 0, took)
				same(t, "view", c.want, got)

				// Nothing has to be restarted when the permission is granted.
				api.set(func() { clear(api.refuse) })
				elapse(time.Minute)
				got, _ = lookFor(t, r, time.Minute)
				same(t, "view once allowed", seen(nil), got)
			})
		})
	}
}

// TestOutage ends all answers, and later resumes them.
func TestOutage(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(api *apiServer)
	}{
		{name: "a crash", end: (*apiServer).kill},
		{name: "a shutdown", end: (*apiServer).shutdown},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testOutage(t, c.end) })
		})
	}
}

func testOutage(t *testing.T, end func(api *apiServer)) {
	api := newAPIServer(t)
	api.fleet(3)
	r := api.start(t)
	first := look(t, r)
	// A watch that ends within a second is listed anew, an older one renewed.
	elapse(10 * time.Second)

	end(api)
	elapse(time.Minute)
	same(t, "view after a minute", first, look(t, r))

	elapse(staleAfter)
	same(t, "view after three", seen(func(v *View) {
		v.Known = false
		v.Fleet.Spec, v.Fleet.Status, v.Fleet.Ready = decision.Count{}, decision.Count{}, decision.Count{}
	}), look(t, r))

	api.set(func() { api.down = false })
	api.put(pathDeployments, newWorkload("Deployment", 4, 4))
	elapse(time.Minute)
	same(t, "view when it is over", seen(func(v *View) {
		v.Fleet.Spec, v.Fleet.Status = decision.Known(4), decision.Known(4)
	}), look(t, r))
}

// TestSilentWatch ends a watch whose connection died without a word.
func TestSilentWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.fleet(3)
		r := api.start(t)
		look(t, r)
		watches := func() int {
			return len(api.asked(func(q request) bool { return q.verb == "watch" && q.resource == "pods" }))
		}
		before := watches()
		// The server of these tests ignores how long a watch is to last.
		elapse(11 * time.Minute)
		if watches() == before {
			t.Error("no watch was renewed in 11 minutes")
		}
		same(t, "ready", decision.Known(3), look(t, r).Fleet.Ready)
	})
}

// TestLog logs a failure that lasts now and then, and its end.
func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		api := newAPIServer(t)
		api.set(func() { api.refuse["scaledobjects"] = http.StatusForbidden })
		r, err := New(api.config(), slog.New(slog.NewTextHandler(&out, nil)), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		run(t, r)
		elapse(10 * time.Minute)
		const failure = `level=WARN msg="cannot read from kubernetes" resource=scaledobjects.keda.sh`
		if n := strings.Count(out.String(), failure); n < 5 || n > 11 {
			t.Errorf("logged %d times in 10 minutes:\n%s", n, out.String())
		}
		api.set(func() { clear(api.refuse) })
		elapse(time.Minute)
		if n := strings.Count(out.String(), `msg="reading from kubernetes works again" resource=scaledobjects.keda.sh`); n != 1 {
			t.Errorf("recovery logged %d times:\n%s", n, out.String())
		}
		if strings.Contains(out.String(), "horizontalpodautoscalers") {
			t.Errorf("logged what did not fail:\n%s", out.String())
		}
	})
}

// TestLogOptional logs once that what is optional is refused.
func TestLogOptional(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedBuffer
		api := newAPIServer(t)
		api.rollout()
		api.set(func() { api.refuse["rollouts"] = http.StatusForbidden })
		r, err := New(api.config(), slog.New(slog.NewTextHandler(&out, nil)), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		run(t, r)
		look(t, r)
		elapse(10 * time.Minute)
		if n := strings.Count(out.String(), "\n"); n != 1 || !strings.Contains(out.String(), "level=INFO") {
			t.Errorf("want one line, got:\n%s", out.String())
		}
	})
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func TestRunTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newAPIServer(t).start(t)
		synctest.Wait()
		if err := r.Run(t.Context()); !errors.Is(err, ErrRunning) {
			t.Errorf("second Run: %v, want %v", err, ErrRunning)
		}
	})
}

// TestLookAroundRun looks before the reader runs, and after it has.
func TestLookAroundRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.rollout()
		r, err := New(api.config(), discard(), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		view, took := lookFor(t, r, time.Second)
		same(t, "found before it runs", false, view.Found)
		same(t, "wait before it runs", time.Second, took)

		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		view, took = lookFor(t, r, 20*time.Second)
		same(t, "found after it ran", true, view.Found)
		same(t, "spec after it ran", decision.Count{}, view.Fleet.Spec)
		same(t, "wait after it ran", 0, took)
	})
}

func TestNilReader(t *testing.T) {
	var r *Reader
	r.Forget("shop", "worker")
	same(t, "view", View{Fleet: decision.Fleet{Tolerance: defaults()}}, look(t, r))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
}
