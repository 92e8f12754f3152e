package plan_test

import (
	"strings"
	"testing"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
)

// FuzzPrepare: any query, and another one that differs from it in a value, are
// planned into queries that can be read.
func FuzzPrepare(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(strings.ReplaceAll(seeded(seed).query(), "$JOB", `job="a"`))
	}
	f.Add("sum by (job) (x{job=\"a\"} # \n)")
	f.Add("x{job=\"a\",\"\x00\"=~\"\\x00\"}")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := plan.Prepare(text)
		if err != nil {
			return
		}
		if q.Text() != text {
			t.Errorf("Prepare(%q).Text() = %q", text, q.Text())
		}
		queries := []*plan.Query{q}
		if other, err := plan.Prepare(strings.ReplaceAll(text, `"a"`, `"b|\""`)); err == nil {
			queries = append(queries, other)
		}
		checkMembers(t, plan.Make(queries, plan.DefaultLimits()), queries)
		queries = append(queries, prepare(t, "y")...)
		checkMembers(t, plan.Make(queries, plan.DefaultLimits()), queries)
	})
}
