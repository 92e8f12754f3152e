package plane_test

import (
	"slices"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
)

// warned returns the asks whose answers came with warnings.
func warned(t *testing.T, results []got) []int {
	t.Helper()
	var all []int
	for i, g := range results {
		if g.Err != nil {
			t.Fatalf("ask %d: %v", i, g.Err)
		}
		if len(g.Answer.Warnings) > 0 {
			all = append(all, i)
		}
	}
	return all
}

// TestWhoseWarnings: warnings reach those whose own they are and nobody else, and
// from the next round on that costs one request for each.
func TestWhoseWarnings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, plan.DefaultLimits())
		r.add("a", 0, 500)
		r.add("b", 500, 1000)
		r.round()
		planned := len(r.source.asked())
		r.source.set(with(behaviour{warns: true}, "w17", "w800"))
		for i := range 20 {
			if got := warned(t, r.round()); !slices.Equal(got, []int{17, 800}) {
				t.Fatalf("round %d: warnings for %v", i, got)
			}
			if n := len(r.source.asked()); i > 0 && n > planned+2 {
				t.Errorf("round %d: %d requests, and %d without warnings", i, n, planned)
			}
		}
		if s := r.plane.Stats(); s.Isolated != 2 {
			t.Errorf("%+v", s)
		}
		r.source.set(nil)
		for range 10 {
			if got := warned(t, r.round()); got != nil {
				t.Errorf("warnings for %v after they have ended", got)
			}
		}
		r.source.asked()
		r.round()
		if n, s := len(r.source.asked()), r.plane.Stats(); n != planned || s.Isolated != 0 {
			t.Errorf("%d requests, %d before the warnings; %+v", n, planned, s)
		}
	})
}

// TestEverythingWarns: when a part of the source's data is away, nobody tries to
// find out whose the warnings are, but for a few requests now and then. All
// answers show them, and none does afterwards.
func TestEverythingWarns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, plan.DefaultLimits())
		r.add("a", 0, 1000)
		r.round()
		planned := len(r.source.asked())
		r.source.set(func([]string) behaviour { return behaviour{warns: true} })
		total := 0
		const rounds = 20
		for i := range rounds {
			if got := warned(t, r.round()); len(got) != 1000 {
				t.Fatalf("round %d: %d of 1000 warn", i, len(got))
			}
			n := len(r.source.asked())
			total += n
			if n > planned+64+16 {
				t.Errorf("round %d: %d requests, and %d without warnings", i, n, planned)
			}
		}
		if total > rounds*planned+300 {
			t.Errorf("%d requests in %d rounds of %d", total, rounds, planned)
		}
		if s := r.plane.Stats(); s.Isolated != 0 {
			t.Errorf("%d are blamed for the source's warnings", s.Isolated)
		}
		r.source.set(nil)
		if got := warned(t, r.round()); got != nil {
			t.Errorf("warnings for %v after they have ended", got)
		}
	})
}

// TestSearchGivenUp: when the source dies, or the time is up, while it is asked whose
// the warnings are, everybody still gets an answer, and nobody is blamed.
func TestSearchGivenUp(t *testing.T) {
	for name, later := range map[string]behaviour{
		"the source dies": {err: fails(promquery.KindUnreachable)}, "the time is up": {takes: 4 * time.Second, warns: true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, plan.DefaultLimits())
				r.plane = plane.New(plane.Options{Querier: r.source, Limits: plan.DefaultLimits(), MaxConcurrency: 1, Interval: interval})
				r.add("a", 0, 32)
				n := 0
				r.source.set(func([]string) behaviour {
					if n++; n <= 2 { // the request for all, and the first part of it
						return behaviour{warns: true}
					}
					return later
				})
				for i, g := range r.round() {
					if g.Err != nil || len(g.Answer.Warnings) == 0 {
						t.Errorf("ask %d: %v, %v; want the answer that came with warnings", i, g.Answer, g.Err)
					}
				}
				if n < 3 {
					t.Errorf("%d requests: nobody was asked whose the warnings are", n)
				}
				if s := r.plane.Stats(); s.Isolated != 0 {
					t.Errorf("%d are blamed", s.Isolated)
				}
			})
		})
	}
}

// TestTooManyWarn: when many warn, and not all, the search is bounded; whoever was
// not found shows warnings that may be those of others, and never the reverse.
func TestTooManyWarn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, plan.DefaultLimits())
		r.add("a", 0, 1000)
		r.round()
		planned := len(r.source.asked())
		guilty := func(job string) bool { return job[len(job)-1] == '7' }
		r.source.set(func(jobs []string) behaviour { return behaviour{warns: slices.ContainsFunc(jobs, guilty)} })
		for i := range 20 {
			got := warned(t, r.round())
			for k := 7; k < 1000; k += 10 {
				if !slices.Contains(got, k) {
					t.Fatalf("round %d: ask %d shows no warning", i, k)
				}
			}
			if n, s := len(r.source.asked()), r.plane.Stats(); n > planned+64+16+s.Isolated {
				t.Errorf("round %d: %d requests", i, n)
			}
		}
	})
}
