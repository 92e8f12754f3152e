package plane_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
)

// TestPoison: of 1,000 queries one fails, whatever way. The others are answered
// in the same round, and from the next one on as if it were not there.
func TestPoison(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		b    behaviour
		kind promquery.Kind
	}{
		{name: "a parse error", b: behaviour{err: fails(promquery.KindBadQuery)}, kind: promquery.KindBadQuery},
		{name: "an error of execution", b: behaviour{err: fails(promquery.KindExecution)}, kind: promquery.KindExecution},
		{name: "too many series", b: behaviour{takes: time.Second, err: fails(promquery.KindTooLarge)}, kind: promquery.KindTooLarge},
		{name: "a timeout", b: behaviour{takes: time.Hour}, kind: promquery.KindTimeout},
		{name: "a proxy that gives up", b: behaviour{takes: time.Second, err: fails(promquery.KindServer)}, kind: promquery.KindServer},
		{name: "garbage", b: behaviour{err: fails(promquery.KindGarbage)}, kind: promquery.KindGarbage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, plan.DefaultLimits())
				for i := range 10 {
					r.add(fmt.Sprint("tenant-", i), 100*i, 100*i+100)
				}
				r.source.set(with(tt.b, "w617"))
				first := r.round()
				checkPoisoned(t, first, 617, tt.kind)
				if n := len(r.source.asked()); n > 4+16+16+8 {
					t.Errorf("it took %d requests to find one in a thousand", n)
				}
				second := r.round()
				checkPoisoned(t, second, 617, tt.kind)
				for i, g := range second {
					if i != 617 && g.after > 20*time.Millisecond {
						t.Fatalf("in the second round ask %d came after %v", i, g.after)
					}
				}
				for _, jobs := range r.source.asked() {
					if len(jobs) > 1 && slices.Contains(jobs, "w617") {
						t.Errorf("the culprit was asked together with %d others", len(jobs)-1)
					}
				}
			})
		})
	}
}

// checkPoisoned: one ask has an error of its own, and all others are answered.
func checkPoisoned(t *testing.T, results []got, culprit int, kind promquery.Kind) {
	t.Helper()
	for i, g := range results {
		e, ok := errors.AsType[*promquery.Error](g.Err)
		switch {
		case i != culprit && g.Err != nil:
			t.Fatalf("ask %d: %v", i, g.Err)
		case i == culprit && (!ok || e.Kind != kind || is[*plane.SharedError](g.Err)):
			t.Errorf("the culprit: %v, want %v", g.Err, kind)
		}
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// TestRests: what fails alone is asked more and more seldom, its error stands
// meanwhile, and it is asked with the others again when it has been good for a
// while: for longer after a relapse.
func TestRests(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, plan.DefaultLimits())
		r.add("a", 0, 10)
		poison := with(behaviour{err: fails(promquery.KindExecution)}, "w3")
		r.source.set(poison)
		r.round()
		r.source.asked()
		var asked []int
		for i := range 64 {
			results := r.round()
			checkPoisoned(t, results, 3, promquery.KindExecution)
			solo := slices.ContainsFunc(r.source.asked(), func(jobs []string) bool { return slices.Equal(jobs, []string{"w3"}) })
			if solo {
				asked = append(asked, i+1)
			} else if e, ok := errors.AsType[*plane.RestError](results[3].Err); !ok || !e.Until.After(time.Now()) || results[3].Text != "" {
				t.Fatalf("round %d: %v", i, results[3].Err)
			}
		}
		if want := []int{1, 3, 7, 15, 31, 47, 63}; !slices.Equal(asked, want) {
			t.Errorf("asked in the rounds %v, want %v", asked, want)
		}
		r.source.set(nil)
		first := r.readmitted("w3")
		r.source.set(poison)
		r.round()
		r.source.set(nil)
		if second := r.readmitted("w3"); first < 3 || second < 2*first {
			t.Errorf("readmitted after %d good answers, and after a relapse after %d", first, second)
		}
		if s := r.plane.Stats(); s.Isolated != 0 || s.Queries != 10 {
			t.Errorf("%+v", s)
		}
	})
}

// readmitted returns how often a job is asked alone until it is asked together
// with others.
func (r *rig) readmitted(job string) int {
	r.t.Helper()
	r.source.asked()
	alone := 0
	for range 100 {
		r.round()
		for _, jobs := range r.source.asked() {
			switch {
			case slices.Equal(jobs, []string{job}):
				alone++
			case slices.Contains(jobs, job):
				return alone
			}
		}
	}
	r.t.Fatalf("%s is never asked with the others again", job)
	return 0
}

// TestTooMuchAtOnce: a request fails that each half of could be answered. Nobody is
// blamed, less is asked at once, and after a while more again.
func TestTooMuchAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, plan.DefaultLimits())
		r.add("a", 0, 100)
		limit := 20
		r.source.set(func(jobs []string) behaviour {
			if len(jobs) > limit {
				return behaviour{err: fails(promquery.KindTooLarge)}
			}
			return behaviour{}
		})
		for i := range 5 {
			for k, g := range r.round() {
				if g.Err != nil {
					t.Fatalf("round %d, ask %d: %v", i, k, g.Err)
				}
			}
			for _, jobs := range r.source.asked() {
				if i > 0 && len(jobs) > limit {
					t.Errorf("round %d: %d were asked at once", i, len(jobs))
				}
			}
		}
		if s := r.plane.Stats(); s.Isolated != 0 {
			t.Errorf("%d queries are blamed", s.Isolated)
		}
		limit = 1000
		for range 100 {
			r.round()
		}
		r.source.asked()
		r.round()
		if n := len(r.source.asked()); n > 2 {
			t.Errorf("long after the trouble there are still %d requests", n)
		}
	})
}

// TestTenantWithSlowQueries: 500 slow queries of one tenant, each of which is asked
// alone, do not delay those of another, in the first round or later.
func TestTenantWithSlowQueries(t *testing.T) {
	t.Parallel()
	for _, b := range []behaviour{{takes: time.Hour}, {takes: 3 * time.Second}, {err: fails(promquery.KindExecution)}} {
		t.Run(fmt.Sprint(b), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, plan.Limits{})
				r.add("slow", 0, 500)
				r.add("quick", 1000, 1100)
				r.source.set(func(jobs []string) behaviour {
					if len(jobs[0]) < 5 {
						return b
					}
					return behaviour{}
				})
				for i := range 12 {
					for k, g := range r.round()[500:] {
						if g.Err != nil || g.after > time.Second {
							t.Fatalf("round %d: ask %d of the quick tenant came after %v, %v", i, k, g.after, g.Err)
						}
					}
					if r.source.most > 8 {
						t.Fatalf("%d requests at once", r.source.most)
					}
				}
			})
		})
	}
}

// TestMergedSlowTenant: the same, where the slow queries are asked together with
// one another and with those of others.
func TestMergedSlowTenant(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, plan.DefaultLimits())
		r.add("slow", 0, 500)
		r.add("quick", 1000, 1100)
		r.source.set(func(jobs []string) behaviour {
			if slices.ContainsFunc(jobs, func(j string) bool { return len(j) < 5 }) {
				return behaviour{takes: time.Hour}
			}
			return behaviour{}
		})
		var late []int
		for range 40 {
			n := 0
			for _, g := range r.round()[500:] {
				if g.Err != nil {
					n++
				}
			}
			late = append(late, n)
		}
		// Should the source seem to be down at first, then the next probes are for each
		// tenant in turn.
		if slices.ContainsFunc(late[4:], func(n int) bool { return n > 0 }) {
			t.Errorf("so many of the quick tenant's 100 were not answered, round by round: %v", late)
		}
	})
}
