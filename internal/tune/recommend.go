package tune

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// What a policy may change of what the baseline changes.
const (
	share         = 0.1
	reversalShare = 1.0 / 3
)

// margin is what a policy should leave of its share of the changes in the first
// half: a policy at its limit in one half is beyond it in the other.
const margin = 0.2

// stress is how much longer workers take to start when policies are put to the
// test that have nothing left waiting.
const stress = 3

// recommend chooses a policy of the front. It has to keep within what the plain
// trigger does in the first half: no more replica-hours, no more saturated minutes,
// a tenth of its changes and a third of its reversals, of both with a margin. It has
// to leave no more waiting than the plain trigger also when workers take three times
// as long to start, which shows who has no headroom. Of those that do, the cheapest
// is recommended. Where none does, it is the one that exceeds the limits by least.
func (s *search) recommend(ctx context.Context, r *Report, best []*candidate) error {
	slow := s.train
	slow.StartDelay *= stress
	plain, err := simulate.Run(slow, s.space.plan.Baseline(), nil)
	if err != nil {
		return err
	}
	strict := calmest(r.BaselineTrain, 1-margin)
	loose := calmest(r.BaselineTrain, 1)
	for _, g := range []goal{strict, loose} {
		for i, c := range best { // the cheapest first
			if !g.reached(c.train) {
				continue
			}
			if under, err := s.run(c, slow); err != nil || ctx.Err() != nil {
				return errors.Join(err, ctx.Err())
			} else if under.SaturatedMinutes <= plain.SaturatedMinutes {
				r.Recommended = i
				return nil
			}
		}
	}
	for i, c := range best {
		if loose.miss(c.train) < loose.miss(best[r.Recommended].train) {
			r.Recommended = i
		}
	}
	return nil
}

// enough finds a plain trigger that costs no more than the recommended policy,
// leaves no more work waiting, and changes the fleet at most twice as often, in
// both halves; the calmest of several.
func (r *Report) enough() *int {
	ours := r.Front[r.Recommended]
	var indices []int
	for i, p := range r.BaselineFront {
		if calmer(ours.Train, 2).reached(p.Train) && calmer(ours.Test, 2).reached(p.Test) {
			indices = append(indices, i)
		}
	}
	if len(indices) == 0 {
		return nil
	}
	return new(slices.MinFunc(indices, func(a, b int) int {
		return cmp.Compare(r.BaselineFront[a].Train.Changes, r.BaselineFront[b].Train.Changes)
	}))
}

// Matched returns for how many of the tuned plain triggers there is a policy on the
// front that, in the second half, uses no more replica-hours, leaves no more work
// waiting, and changes the fleet half as often.
func (r *Report) Matched() (matched, of int) {
	for _, p := range r.BaselineFront {
		g := calmer(p.Test, 0.5)
		if slices.ContainsFunc(r.Front, func(o Point) bool { return g.reached(o.Test) }) {
			matched++
		}
	}
	return matched, len(r.BaselineFront)
}
