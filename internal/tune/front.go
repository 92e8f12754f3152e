package tune

import (
	"cmp"
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

// few is how many of the policies that come closest to each side of a goal are shown,
// beside those that nothing dominates. What is a little worse in one half of the
// history is often the better one in the other.
const few = 3

// worth returns the policies worth showing, the cheapest first: those that nothing
// else dominates, the few that come closest to each goal, and the one that was
// chosen.
func worth(found []*candidate, goals []goal, chosen *candidate) []*candidate {
	best := front(found, trained)
	for _, g := range goals {
		for _, side := range g.sides() {
			for _, c := range side.closest(found, few) {
				best = listed(best, c)
			}
		}
	}
	return listed(best, chosen)
}

// listed returns a front with a policy in it, the cheapest first.
func listed(front []*candidate, c *candidate) []*candidate {
	if slices.Contains(front, c) {
		return front
	}
	i, _ := slices.BinarySearchFunc(front, c, func(a, b *candidate) int { return cmp.Compare(a.train.ReplicaHours, b.train.ReplicaHours) })
	return slices.Insert(front, i, c)
}
