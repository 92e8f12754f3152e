package plan_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
)

// rendered is a plan without regard to the order of the queries.
func rendered(batches []plan.Batch, queries []*plan.Query) []string {
	var lines []string
	for _, b := range batches {
		for _, m := range b.Members {
			lines = append(lines, strings.Join([]string{b.Text, b.Label, m.Key, queries[m.Query].Text()}, "\t"))
		}
	}
	slices.Sort(lines)
	return lines
}

func TestProperties(t *testing.T) {
	for seed := range uint64(25) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { checkProperties(t, seeded(seed)) })
	}
}

func checkProperties(t *testing.T, d dice) {
	var queries []*plan.Query
	for range 1 + d.IntN(4) {
		for _, text := range d.queries() {
			if q, err := plan.Prepare(text); err == nil {
				queries = append(queries, q)
			}
		}
	}
	limits := plan.Limits{Merge: d.IntN(8), Union: d.IntN(8), Bytes: d.IntN(2000)}
	batches := plan.Make(queries, limits)
	checkMembers(t, batches, queries)
	checkLimits(t, batches, limits)
	if diff := cmp.Diff(rendered(batches, queries), rendered(plan.Make(queries, limits), queries)); diff != "" {
		t.Error("planned twice:", diff)
	}
	shuffled := slices.Clone(queries)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if diff := cmp.Diff(rendered(batches, queries), rendered(plan.Make(shuffled, limits), shuffled)); diff != "" {
		t.Error("planned in another order:", diff)
	}
	for _, b := range batches {
		var members []*plan.Query
		for _, m := range b.Members {
			members = append(members, queries[m.Query])
		}
		checkMembers(t, plan.Make(members[:len(members)/2], limits), members[:len(members)/2])
	}
}

// checkMembers: every query is a member once, and what is asked is what it says.
func checkMembers(t *testing.T, batches []plan.Batch, queries []*plan.Query) {
	t.Helper()
	seen := make([]int, len(queries))
	for _, b := range batches {
		if _, err := plan.Prepare(b.Text); err != nil {
			t.Errorf("%s: %v", b.Text, err)
		}
		as := 0
		for _, m := range b.Members {
			seen[m.Query]++
			if queries[m.Query].Text() == b.Text {
				as++
			}
			if (m.Key == "") != (b.Label == "") {
				t.Errorf("a member of %s by %q has the key %q", b.Text, b.Label, m.Key)
			}
		}
		if b.Label == "" && as == 0 {
			t.Errorf("%s is not the text of a member", b.Text)
		}
	}
	for i, n := range seen {
		if n != 1 {
			t.Errorf("%s is a member %d times", queries[i].Text(), n)
		}
	}
}

func checkLimits(t *testing.T, batches []plan.Batch, limits plan.Limits) {
	t.Helper()
	for _, b := range batches {
		keys := map[string]bool{}
		parts := map[string]bool{}
		for _, m := range b.Members {
			keys[m.Key] = true
			part, _, _ := strings.Cut(m.Key, ":")
			parts[part] = true
		}
		most := limits.Merge
		if b.Label == plan.Tag {
			most = max(limits.Merge, limits.Union)
			if len(parts) > limits.Union {
				t.Errorf("%d queries in a union, at most %d allowed: %s", len(parts), limits.Union, b.Text)
			}
		}
		if b.Label != "" && (len(keys) > most || len(b.Text) > limits.Bytes) {
			t.Errorf("%d members and %d bytes, within %+v: %s", len(keys), len(b.Text), limits, b.Text)
		}
	}
}
