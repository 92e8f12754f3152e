package tune

import (
	"cmp"
	"math"
	"slices"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// dominates reports whether a is as good as b in replica-hours, saturated minutes
// and changes, and better in one of them.
func dominates(a, b simulate.Result) bool {
	if a.ReplicaHours > b.ReplicaHours || a.SaturatedMinutes > b.SaturatedMinutes || a.Changes > b.Changes {
		return false
	}
	return a.ReplicaHours < b.ReplicaHours || a.SaturatedMinutes < b.SaturatedMinutes || a.Changes < b.Changes
}

// front returns what nothing else dominates, the cheapest first; of equal ones
// the first.
func front[T any](all []T, result func(T) simulate.Result) []T {
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b T) int {
		x, y := result(a), result(b)
		return cmp.Or(cmp.Compare(x.ReplicaHours, y.ReplicaHours), cmp.Compare(x.SaturatedMinutes, y.SaturatedMinutes), cmp.Compare(x.Changes, y.Changes))
	})
	var best []T
	for _, c := range sorted {
		r := result(c)
		// Whoever dominates stands before, or is equal.
		if !slices.ContainsFunc(best, func(b T) bool {
			o := result(b)
			return dominates(o, r) || o.ReplicaHours == r.ReplicaHours && o.SaturatedMinutes == r.SaturatedMinutes && o.Changes == r.Changes
		}) {
			best = append(best, c)
		}
	}
	return best
}

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
// with the share of its changes and reversals that is promised, or a part of it.
func calmest(r simulate.Result, part float64) goal {
	g := calmer(r, part*share)
	g.reversals = part * reversalShare * float64(r.Reversals)
	return g
}

// miss returns by which factor a result exceeds the goal where it exceeds it most;
// 1 and less for one that reaches it. Counts and minutes so small that chance
// makes them are compared with some leniency among each other, but zero is zero.
func (g goal) miss(r simulate.Result) float64 {
	const someMinutes, someChanges = 5, 2
	return max(
		r.ReplicaHours/max(g.hours, 1e-9),
		ratio(r.SaturatedMinutes, g.saturated, someMinutes),
		ratio(float64(r.Changes), g.changes, someChanges),
		ratio(float64(r.Reversals), g.reversals, someChanges),
	)
}

func ratio(have, want, some float64) float64 { return (have + some) / (want + some) }

// reached reports whether the result is within the goal, without any leniency.
func (g goal) reached(r simulate.Result) bool {
	return r.ReplicaHours <= g.hours && r.SaturatedMinutes <= g.saturated &&
		float64(r.Changes) <= g.changes && float64(r.Reversals) <= g.reversals
}
