package plane_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
)

// TestDown: a source that fails for ten minutes, in whatever way, gets one probe
// an interval, and everything is answered again in the first round afterwards.
func TestDown(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		b    behaviour
	}{
		{name: "unreachable", b: behaviour{err: fails(promquery.KindUnreachable)}},
		{name: "hanging", b: behaviour{takes: time.Hour}},
		{name: "sorry", b: behaviour{err: &promquery.Error{Kind: promquery.KindServer, Status: 503, Err: errors.New("no")}}},
		{name: "locked", b: behaviour{err: fails(promquery.KindAuth)}},
		{name: "an error for everything", b: behaviour{err: fails(promquery.KindExecution)}},
	}
	for _, tt := range tests {
		for _, limits := range []plan.Limits{{}, plan.DefaultLimits()} {
			t.Run(tt.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					r := newRig(t, limits)
					r.add("a", 0, 200)
					r.add("b", 200, 400)
					r.round()
					r.source.set(func([]string) behaviour { return tt.b })
					for i := range 40 {
						r.source.asked()
						for k, g := range r.round() {
							if g.Err == nil {
								t.Fatalf("round %d: ask %d was answered", i, k)
							}
							if i > 0 && (!is[*plane.DownError](g.Err) || g.Text != "") {
								t.Fatalf("round %d: %q: %v", i, g.Text, g.Err)
							}
						}
						n, most := len(r.source.asked()), 1
						if i == 0 {
							most = 32 // until it was noticed
						}
						if n > most {
							t.Errorf("round %d: %d requests", i, n)
						}
					}
					if r.source.most > 8 {
						t.Errorf("%d requests at once", r.source.most)
					}
					if s := r.plane.Stats(); !s.Down || s.Isolated != 0 {
						t.Errorf("%+v", s)
					}
					r.source.set(nil)
					for k, g := range r.round() {
						if g.Err != nil {
							t.Fatalf("back: ask %d: %v", k, g.Err)
						}
					}
					if r.source.most > 8 || r.plane.Stats().Down {
						t.Errorf("%d requests at once, %+v", r.source.most, r.plane.Stats())
					}
				})
			})
		}
	}
}

// TestDownPlansNothing: a round for thousands costs next to nothing while the source
// is known to be down. It does not run in parallel to other tests, which allocate too.
func TestDownPlansNothing(t *testing.T) { //nolint:paralleltest // it measures the heap
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, plan.DefaultLimits())
		r.add("a", 0, 2000)
		r.round()
		up := allocated(func() { r.round() })
		r.source.set(func([]string) behaviour { return behaviour{err: fails(promquery.KindUnreachable)} })
		r.round()
		down := allocated(func() { r.round() })
		if !r.plane.Stats().Down || down > up/4 {
			t.Errorf("%d bytes for a round while the source is down, %d while it is up", down, up)
		}
	})
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestPassingFailure: one failure is made good in the same round.
func TestPassingFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, plan.DefaultLimits())
		r.add("a", 0, 10)
		for _, kind := range []promquery.Kind{promquery.KindUnreachable, promquery.KindServer} {
			calls := 0
			r.source.set(func([]string) behaviour {
				if calls++; calls == 1 {
					return behaviour{err: fails(kind)}
				}
				return behaviour{}
			})
			if g := r.round()[0]; g.Err != nil || calls != 2 {
				t.Errorf("%v: %v after %d requests", kind, g.Err, calls)
			}
		}
	})
}

// TestShutDown: when the caller goes away nothing is held against anybody.
func TestShutDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, plan.Limits{})
		r.add("a", 0, 100)
		r.round()
		r.source.set(func([]string) behaviour { return behaviour{takes: time.Hour} })
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		n := 0
		r.plane.Run(ctx, r.asks, func(_ int, res plane.Result) {
			n++
			if res.Err == nil {
				t.Error("an answer out of nowhere")
			}
		})
		if s := r.plane.Stats(); n != 100 || s.Isolated != 0 || s.Down {
			t.Errorf("%d results, %+v", n, s)
		}
	})
}

// TestForget: with the last use of a query all that is known of it goes.
func TestForget(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, plan.DefaultLimits())
		r.add("a", 0, 20)
		r.add("b", 0, 20)
		r.source.set(with(behaviour{err: fails(promquery.KindExecution)}, "w3"))
		r.round()
		if s := r.plane.Stats(); s.Queries != 20 || s.Isolated != 1 || s.Wanted != 20 {
			t.Errorf("%+v", s)
		}
		for i, a := range r.asks {
			if s := r.plane.Stats(); i == 20 && s.Queries != 20 {
				t.Errorf("half of the uses released: %+v", s)
			}
			r.plane.Release(a.Query)
		}
		if s := r.plane.Stats(); s.Queries != 0 || s.Isolated != 0 {
			t.Errorf("%+v", s)
		}
		r.asks = nil
		r.source.set(nil)
		r.add("a", 3, 5)
		r.source.asked()
		r.round()
		if n := len(r.source.asked()); n != 1 {
			t.Errorf("a query that was forgotten and came back costs %d requests", n)
		}
	})
}

// TestUseRefuses: what is no PromQL is not taken.
func TestUseRefuses(t *testing.T) {
	t.Parallel()
	p := plane.New(plane.Options{Querier: &fake{}, Interval: interval})
	if _, err := p.Use("avg("); err == nil || p.Stats().Queries != 0 {
		t.Errorf("%v, %+v", err, p.Stats())
	}
}

// TestEveryAskOnce drives a plane through random trouble: every ask of every round
// has exactly one result, answers are never wrong, and there are never more than
// eight requests at once; two rounds may overlap.
func TestEveryAskOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		bubbleOf(t, seed, func(t *testing.T, random *rand.Rand) {
			r := newRig(t, plan.Limits{Merge: random.IntN(40), Union: random.IntN(40), Bytes: 64 << 10})
			for i := range 1 + random.IntN(5) {
				from := random.IntN(60)
				r.add(string(rune('a'+i)), from, from+random.IntN(60))
			}
			r.source.set(func([]string) behaviour {
				b := behaviour{warns: random.IntN(10) == 0}
				switch random.IntN(8) {
				case 0:
					b.err = fails(promquery.Kind(1 + random.IntN(int(promquery.NumKinds)-1)))
				case 1:
					b.takes = time.Duration(random.IntN(20)) * time.Second
				}
				return b
			})
			for range 30 {
				other, asks := make(chan struct{}), slices.Clone(r.asks)
				go func() {
					defer close(other)
					ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
					defer cancel()
					n := 0
					r.plane.Run(ctx, asks, func(int, plane.Result) { n++ })
					if n != len(asks) {
						t.Errorf("%d results for %d asks", n, len(asks))
					}
				}()
				r.round()
				<-other
			}
			if r.source.most > 8 {
				t.Errorf("%d requests at once", r.source.most)
			}
		})
	}
}
