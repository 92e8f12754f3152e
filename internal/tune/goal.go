package tune

import (
	"cmp"
	"math"
	"slices"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// goal is a result to be reached: no more of anything.
type goal struct {
	hours, saturated, changes, reversals float64
}

// calmer is the goal to do what a trigger does with a share of its changes.
func calmer(r simulate.Result, changes float64) goal {
	return goal{
		hours: r.ReplicaHours, saturated: r.SaturatedMinutes,
		changes: changes * float64(r.Changes), reversals: math.Inf(1),
	}
}

// calmest is the goal to do what the plain trigger does, as it was first written,
// with the share of its changes and reversals that is promised, or with a part of
// that, and of what it leaves waiting.
func calmest(r simulate.Result, part float64) goal {
	g := calmer(r, part*share)
	g.saturated *= part
	g.reversals = part * reversalShare * float64(r.Reversals)
	return g
}

// goals are what is searched for: first what the recommended policy is to reach, then
// to do what each of the best plain triggers does with half of its changes.
func goals(baseline simulate.Result, plains []*Plain) []goal {
	all := []goal{calmest(baseline, 1-margin)}
	for _, p := range plains {
		all = append(all, calmer(p.Train, 0.5).narrowed())
	}
	return all
}

// narrowed is the goal less a margin: what is just reached in one half of a history
// is just missed in the other. The margins are about as far apart as the halves of
// recorded demand are.
func (g goal) narrowed() goal {
	g.hours *= 0.985
	g.saturated *= 0.8
	g.changes *= 0.87
	return g
}

// sides are the goal with more of a margin in one of the three each: a policy that
// misses the goal in the second half of the history misses it there on one side.
func (g goal) sides() []goal {
	cheap, quick, calm := g, g, g
	cheap.hours *= 0.98
	quick.saturated *= 0.75
	calm.changes *= 0.85
	return []goal{g, cheap, quick, calm}
}

// How much harder it is to save a percent of replica-hours than one of the others:
// a tenth of the saturated minutes, or of the changes, is had for one or two
// hundredths of the replica-hours.
const (
	easeOfMinutes = 0.15
	easeOfChanges = 0.2
)

// miss returns by which factor a result exceeds the goal where it exceeds it most, in
// terms of replica-hours; 1 and less for one that reaches it. Counts and minutes so
// small that chance makes them are compared with some leniency among each other.
func (g goal) miss(r simulate.Result) float64 {
	const someMinutes, someChanges = 5, 2
	return max(
		r.ReplicaHours/max(g.hours, 1e-9),
		math.Pow(ratio(r.SaturatedMinutes, g.saturated, someMinutes), easeOfMinutes),
		math.Pow(ratio(float64(r.Changes), g.changes, someChanges), easeOfChanges),
		math.Pow(ratio(float64(r.Reversals), g.reversals, someChanges), easeOfChanges),
	)
}

func ratio(have, want, some float64) float64 {
	if math.IsInf(want, 1) {
		return 0
	}
	return (have + some) / (want + some)
}

// reached reports whether the result is within the goal, without any leniency.
func (g goal) reached(r simulate.Result) bool {
	return r.ReplicaHours <= g.hours && r.SaturatedMinutes <= g.saturated &&
		float64(r.Changes) <= g.changes && float64(r.Reversals) <= g.reversals
}

// closest returns at most n policies that miss the goal by least, the best first.
func (g goal) closest(found []*candidate, n int) []*candidate {
	type missed struct {
		c  *candidate
		by float64
	}
	all := make([]missed, len(found))
	for i, c := range found {
		all[i] = missed{c, g.miss(c.train)}
	}
	slices.SortStableFunc(all, func(a, b missed) int { return cmp.Compare(a.by, b.by) })
	best := make([]*candidate, min(n, len(all)))
	for i := range best {
		best[i] = all[i].c
	}
	return best
}
