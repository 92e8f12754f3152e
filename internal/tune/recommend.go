package tune

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// What a policy may change of what the baseline changes.
const (
	share         = 0.1
	reversalShare = 1.0 / 3
)

// margin is what a policy should leave of its share of the changes, and of the
// minutes, in the first half: a policy at its limit in one half is beyond it in the other.
const margin = 0.2

// trial is the first half under other circumstances, and what a policy may do in it.
type trial struct {
	loop  simulate.Loop
	limit goal
}

// trials are circumstances a little different from those of the history: a policy
// that suits it by luck, as one does whose threshold lies a hair below what the load
// happened to be, does not hold in all of them.
func (s *search) trials(ctx context.Context) ([]trial, error) {
	slow, more, less := s.train, s.train, s.train
	slow.StartDelay *= 3
	more.Demand, less.Demand = more.Demand.Times(1.5), less.Demand.Times(0.8)
	var all []trial
	for _, l := range []simulate.Loop{faster(s.train, quickly), slow, more, less} {
		plain, err := simulate.Run(ctx, l, s.space.plan.Baseline(), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, trial{loop: l, limit: calmest(plain, 1)})
	}
	return all, nil
}

// faster is a loop in which all that happens takes a fraction of its time.
func faster(l simulate.Loop, factor int) simulate.Loop {
	l.Demand.Step /= time.Duration(factor)
	if r := l.Recorded; r != nil {
		l.Recorded = &simulate.Recorded{
			First: r.First, CPU: every(r.CPU, factor), Workers: every(r.Workers, factor),
			Wake: every(r.Wake, factor), Guard: every(r.Guard, factor),
		}
	}
	return l
}

// every returns every nth of a list, from the first one on.
func every[T any](list []T, n int) []T {
	var some []T
	for i := 0; i < len(list); i += n {
		some = append(some, list[i])
	}
	return some
}

// tried bounds how many policies are put to all trials. In the first one all takes a
// fraction of its time, so that as many times more are put to it.
const (
	tried   = 24
	quickly = 4
)

// recommend chooses a policy of all that were found. It has to keep within what the
// plain trigger does in the first half: no more replica-hours, no more saturated
// minutes, a tenth of its changes and a third of its reversals, of all but the first
// with a margin; and within the same of what that trigger does in each trial. Where none
// keeps the margin, it is left out. Of those that do all this, one that is cheap but not
// the cheapest is recommended. Where none does, it is the one that exceeds the limits by
// least where it exceeds them most.
func (s *search) recommend(ctx context.Context, plain simulate.Result) (*candidate, error) {
	strict, loose := calmest(plain, 1-margin), calmest(plain, 1)
	byCost := slices.Clone(s.found)
	slices.SortStableFunc(byCost, func(a, b *candidate) int { return cmp.Compare(a.train.ReplicaHours, b.train.ReplicaHours) })
	for _, g := range []goal{strict, loose} {
		within := slices.DeleteFunc(slices.Clone(byCost), func(c *candidate) bool { return !g.reached(c.train) })
		if len(within) > 0 {
			return s.steadiest(ctx, within, loose)
		}
	}
	return s.steadiest(ctx, loose.closest(s.found, tried), loose)
}

// passedOver is the share of the policies that hold, the cheapest ones, that are passed
// over, as one over it: of many the cheapest ones that hold do so by luck.
const passedOver = 3

// steadiest puts policies to the trials: the cheapest first or, where none is within the
// limit, the closest to it. Of those that hold in all of them, and within the limit in
// the first half as it was, it returns one that is cheap but not the cheapest; where
// there is none, the one that misses a limit by least.
func (s *search) steadiest(ctx context.Context, policies []*candidate, limit goal) (*candidate, error) {
	trials, err := s.trials(ctx)
	if err != nil {
		return nil, err
	}
	some := spread(policies, quickly*tried)
	worst, err := s.put(ctx, some, trials[:1])
	if err != nil {
		return nil, err
	}
	var held []*candidate
	for i, c := range some {
		if worst[i] == 0 {
			held = append(held, c)
		}
	}
	if len(held) > 0 {
		some = held
	}
	some = spread(some, tried)
	if worst, err = s.put(ctx, some, trials); err != nil {
		return nil, err
	}
	best := 0
	held = nil
	for i, c := range some {
		if !limit.reached(c.train) {
			worst[i] = max(worst[i], limit.miss(c.train))
		}
		if worst[i] == 0 {
			held = append(held, c)
		}
		if worst[i] < worst[best] {
			best = i
		}
	}
	if len(held) > 0 {
		return held[len(held)/passedOver], nil
	}
	return some[best], nil
}

// put returns by how much each policy misses a limit in the trials where it misses one
// by most; 0 where it holds in all of them.
func (s *search) put(ctx context.Context, policies []*candidate, trials []trial) ([]float64, error) {
	worst := make([]float64, len(policies))
	s.total += len(policies)
	err := s.parallel(ctx, len(policies), func(i int) error {
		for _, t := range trials {
			r, err := s.run(ctx, policies[i], t.loop)
			if err != nil {
				return err
			}
			if !t.limit.reached(r) {
				worst[i] = max(worst[i], t.limit.miss(r))
			}
		}
		return nil
	})
	return worst, err
}

// spread returns at most n of a list, evenly.
func spread[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	some := make([]T, n)
	for i := range some {
		some[i] = list[i*(len(list)-1)/max(1, n-1)]
	}
	return some
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
