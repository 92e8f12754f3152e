package tune

import (
	"cmp"
	"context"
	"errors"
	"math"
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

// trial is the first half under other circumstances, and what a policy may do in it.
type trial struct {
	loop  simulate.Loop
	limit goal
}

// trials are circumstances a little different from those of the history: a policy
// that suits it by luck, as one does whose threshold lies a hair below what the load
// happened to be, does not hold in all of them.
func (s *search) trials() ([]trial, error) {
	slow, more, less := s.train, s.train, s.train
	slow.StartDelay *= 3
	more.Demand, less.Demand = more.Demand.Times(1.15), less.Demand.Times(0.85)
	var all []trial
	for _, l := range []simulate.Loop{slow, more, less} {
		plain, err := simulate.Run(l, s.space.plan.Baseline(), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, trial{loop: l, limit: calmest(plain, 1)})
	}
	return all, nil
}

// recommend chooses a policy of the front. It has to keep within what the plain
// trigger does in the first half: no more replica-hours, no more saturated minutes,
// a tenth of its changes and a third of its reversals, of both with a margin; and
// within the same of what that trigger does in each trial. Of those that do, the
// cheapest is recommended. Where none does, it is the one that exceeds the limits by
// least where it exceeds them most.
func (s *search) recommend(ctx context.Context, r *Report, best []*candidate) error {
	trials, err := s.trials()
	if err != nil {
		return err
	}
	strict, loose := calmest(r.BaselineTrain, 1-margin), calmest(r.BaselineTrain, 1)
	least := math.Inf(1)
	for i, c := range best { // the cheapest first
		worst := loose.miss(c.train)
		if loose.reached(c.train) {
			worst = min(worst, 1)
			if !strict.reached(c.train) {
				worst = 1 + margin/10 // rather than one that fails in a trial
			}
			if worst, err = s.worst(ctx, c, trials, worst); err != nil {
				return err
			}
		}
		if c.train.ReplicaHours > loose.hours && r.Recommended > 0 {
			break // what costs more than the plain trigger is no advice
		}
		if worst < least {
			least, r.Recommended = worst, i
		}
		if least <= 1 {
			break
		}
	}
	return nil
}

// worst returns by how much a policy misses the limit of the trial that it misses
// most, or what it is known to miss already.
func (s *search) worst(ctx context.Context, c *candidate, trials []trial, worst float64) (float64, error) {
	for _, t := range trials {
		r, err := s.run(c, t.loop)
		if err != nil || ctx.Err() != nil {
			return 0, errors.Join(err, ctx.Err())
		}
		if !t.limit.reached(r) {
			worst = max(worst, 1+margin, t.limit.miss(r))
		}
	}
	return worst, nil
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
