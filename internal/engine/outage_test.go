package engine_test

import (
	"errors"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// TestSourceKilledForTenMinutes: while a source is away the scaler sends a probe
// an interval, its memory stays what it was, and it never sends more than eight
// requests at once; two intervals after the source is back all is known again,
// the ten minutes included. It does not run in parallel to other tests, whose memory
// would count.
func TestSourceKilledForTenMinutes(t *testing.T) { //nolint:paralleltest // it measures the heap
	synctest.Test(t, func(t *testing.T) {
		f := newFleets(t, 10_000, sameShape)
		var underWay, most atomic.Int64
		count := func(next func(*http.Request) (*http.Response, error)) func(*http.Request) (*http.Response, error) {
			return func(r *http.Request) (*http.Response, error) {
				if n := underWay.Add(1); n > most.Load() {
					most.Store(n)
				}
				defer underWay.Add(-1)
				<-time.After(5 * time.Millisecond)
				return next(r)
			}
		}
		f.prom.suffer(count(f.prom.serve))
		f.begin()
		f.interval()
		before := heap()
		f.prom.suffer(count(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }))
		f.interval()
		for i := range 39 {
			f.prom.asked()
			f.interval()
			if i%8 == 7 {
				f.hold()
			}
			if n := f.prom.asked(); n > 1 {
				t.Errorf("%d requests in an interval without a source", n)
			}
		}
		if s := f.engine.Sources(); len(s) != 1 || s[0].Name != "default" || !s[0].Down || s[0].Isolated != 0 {
			t.Errorf("%+v", s)
		}
		if after := heap(); after > before+before/2 {
			t.Errorf("%d bytes before the outage, %d after it", before, after)
		}
		f.prom.suffer(count(f.prom.serve))
		f.interval()
		f.interval()
		f.check(one, -1)
		if n := most.Load(); n > 8 {
			t.Errorf("%d requests at once", n)
		}
		if s := f.engine.Sources(); s[0].Down {
			t.Errorf("%+v", s)
		}
	})
}

// hold asks for every trigger, so that none is forgotten. All of them must hold.
func (f *fleets) hold() {
	f.t.Helper()
	f.answers(func(i int, a engine.Answer) {
		if b := a.Decision.Band; b != decision.Hold {
			f.t.Fatalf("trigger %d: %v, want hold", i, b)
		}
	})
}

// heap returns how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestForgottenIsFreed: of triggers that were forgotten nothing is left, neither
// here nor in the plane.
func TestForgottenIsFreed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFleets(t, 50, sameShape)
		f.begin()
		f.interval()
		if s := f.engine.Sources()[0]; s.Queries != 100 {
			t.Errorf("%+v", s)
		}
		a, err := f.engine.Answer(t.Context(), f.calls[7])
		if err != nil {
			t.Fatal(err)
		}
		left := weak.Make(a.Trigger)
		a = engine.Answer{}
		pass(11 * time.Minute)
		if s := f.engine.Sources()[0]; f.engine.Len() != 0 || s.Queries != 0 {
			t.Errorf("%d triggers, %+v", f.engine.Len(), s)
		}
		runtime.GC()
		if left.Value() != nil {
			t.Error("a forgotten trigger is still held by somebody")
		}
	})
}

// TestQueryStates: an answer tells what was sent for each query, and what came of it.
func TestQueryStates(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFleets(t, 2, sameShape)
		f.begin()
		a, err := f.engine.Answer(t.Context(), f.calls[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Queries) != 2 {
			t.Fatalf("%+v", a.Queries)
		}
		for _, q := range a.Queries {
			if q.Text != a.Trigger.Queries[q.Role] || q.Sent == "" || q.Sent == q.Text || q.Err != nil {
				t.Errorf("%+v", q)
			}
		}
		f.prom.suffer(status(http.StatusInternalServerError))
		f.interval()
		b, err := f.engine.Answer(t.Context(), f.calls[0])
		if err != nil {
			t.Fatal(err)
		}
		for i, q := range b.Queries {
			if q.Err == nil || q.Sent == "" || a.Queries[i].Err != nil {
				t.Errorf("failed: %+v; before, and not to be changed: %+v", q, a.Queries[i])
			}
		}
	})
}
