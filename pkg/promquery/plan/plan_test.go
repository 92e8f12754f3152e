package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
)

func prepare(t testing.TB, texts ...string) []*plan.Query {
	t.Helper()
	queries := make([]*plan.Query, len(texts))
	for i, text := range texts {
		q, err := plan.Prepare(text)
		if err != nil {
			t.Fatalf("Prepare(%q): %v", text, err)
		}
		queries[i] = q
	}
	return queries
}

func TestUnion(t *testing.T) {
	got := plan.Make(prepare(t, "sum( a ) # busy", "time()", "-b", "sum(a)", "c"), plan.DefaultLimits())
	want := []plan.Batch{
		{Text: "-b", Members: []plan.Member{{Query: 2}}},
		{
			Text: `(label_replace(c, "zmy_query", "0", "", "")) or ((label_replace(sum(a), "zmy_query", "1", "", "")) or ` +
				`(label_replace(vector(time()), "zmy_query", "2", "", "")))`,
			Label:   plan.Tag,
			Members: []plan.Member{{Query: 4, Key: "0"}, {Query: 0, Key: "1"}, {Query: 3, Key: "1"}, {Query: 1, Key: "2"}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
