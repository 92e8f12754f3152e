package plan_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
	"github.com/prometheus/prometheus/promql/parser"
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

// TestShapes: $J is job="a" in one query and job="b" in the other. What is wanted
// is the merged query, $P being job=~"a|b"; empty if there must be none.
func TestShapes(t *testing.T) {
	cases := []struct{ name, query, want string }{
		{"a selector", `zmy{$J}`, `zmy{$P}`},
		{"other matchers", `zmy{ns!="x", $J, i=~"1"}`, `zmy{i=~"1",$P,ns!="x"}`},
		{"offset and time", `zmy{$J} offset 5m + zmy{$J} @ 1700000000.25`, `zmy{$P} offset 5m + zmy{$P} @ 1700000000.250`},
		{"the default query", `avg(avg_over_time(zmy{$J}[5m]))`, `avg by (job) (avg_over_time(zmy{$P}[5m]))`},
		{"comments and space", "sum( # all\n zmy{$J} )", `sum by (job) (zmy{$P})`},
		{"by", `sum by (i) (zmy{$J})`, `sum by (i, job) (zmy{$P})`},
		{"by the label", `sum by (job) (zmy{$J})`, `sum by (job) (zmy{$P})`},
		{"without", `sum without (i) (zmy{$J})`, `sum without (i) (zmy{$P})`},
		{"without the label", `sum without (job, i) (zmy{$J})`, `sum without (i) (zmy{$P})`},
		{"nested aggregations", `max(sum by (i) (zmy{$J}))`, `max by (job) (sum by (i, job) (zmy{$P}))`},
		{"a quantile", `quantile(0.5, zmy{$J})`, `quantile by (job) (0.5, zmy{$P})`},
		{"a ratio", `sum(rate(idle{$J}[5m])) / sum(rate(all{$J}[5m]))`, `sum by (job) (rate(idle{$P}[5m])) / sum by (job) (rate(all{$P}[5m]))`},
		{"one minus", `1 - avg(zmy{$J})`, `1 - avg by (job) (zmy{$P})`},
		{"a scalar of other series", `sum(zmy{$J}) / scalar(sum(all))`, `sum by (job) (zmy{$P}) / scalar(sum(all))`},
		{"a constant", `avg(zmy{$J}) * (-2 + time() % 5) > bool 3`, `avg by (job) (zmy{$P}) * (-2 + time() % 5) > bool 3`},
		{"on", `idle{$J} / on (i) all{$J}`, `idle{$P} / on (i, job) all{$P}`},
		{"on nothing", `sum(idle{$J}) / on () sum(all{$J})`, `sum by (job) (idle{$P}) / on (job) sum by (job) (all{$P})`},
		{"ignoring", `idle{$J} / ignoring (i, job) all{$J}`, `idle{$P} / ignoring (i) all{$P}`},
		{"group_left", `idle{$J} / on (i) group_left (node) all{$J}`, `idle{$P} / on (i, job) group_left (node) all{$P}`},
		{"group_right", `idle{$J} / ignoring (job) group_right () all{$J}`, `idle{$P} / ignoring () group_right () all{$P}`},
		{"many on the right", `sum(all{$J}) * on () group_right () idle{$J} + idle{$J}`, `sum by (job) (all{$P}) * on (job) group_right () idle{$P} + idle{$P}`},
		{"and", `zmy{$J} and on (i) up{$J} == 1`, `zmy{$P} and on (i, job) up{$P} == 1`},
		{"or", `zmy{$J} or idle{$J}`, `zmy{$P} or idle{$P}`},
		{"unless", `zmy{$J} unless idle{$J}`, `zmy{$P} unless idle{$P}`},
		{"with the label on one side only, where it does not count", `idle{$J} / on () sum(all{$J})`, `idle{$P} / on (job) sum by (job) (all{$P})`},
		{"a subquery", `max_over_time(sum(zmy{$J})[10m:1m] offset 1m)`, `max_over_time(sum by (job) (zmy{$P})[10m:1m] offset 1m)`},
		{"a classic histogram", `histogram_quantile(0.9, sum by (le) (rate(d_bucket{$J}[5m])))`, `histogram_quantile(0.9, sum by (le, job) (rate(d_bucket{$P}[5m])))`},
		{"quantile_over_time", `quantile_over_time(0.9, zmy{$J}[5m])`, `quantile_over_time(0.9, zmy{$P}[5m])`},
		{"a copied label", `sum by (x) (label_replace(zmy{$J}, "x", "$1", "job", "(.*)"))`, `sum by (x, job) (label_replace(zmy{$P}, "x", "$1", "job", "(.*)"))`},
		{"label_replace at the top, in no union", `label_replace(zmy{$J}, "x", "y", "", "")`, `label_replace(zmy{$P}, "x", "y", "", "")`},
		{"a negation at the top, in no union", `-sum(zmy{$J})`, `-sum by (job) (zmy{$P})`},
		{"a name in quotes", `{"zmy.v", $J}`, `{__name__="zmy.v",$P}`},

		{"a selector without it", `sum(zmy{$J}) / sum(all)`, ``},
		{"a selector without it, where it does not count", `sum(zmy{$J}) * on () sum(all)`, ``},
		{"another value", `zmy{$J} + zmy{job="c"}`, ``},
		{"two matchers", `zmy{$J, job!="c"}`, ``},
		{"not equal", `zmy{$J} unless zmy{job!="c"}`, ``},
		{"a default", `sum(zmy{$J}) or vector(0)`, ``},
		{"absent", `absent(zmy{$J})`, ``},
		{"absent_over_time", `absent_over_time(zmy{$J}[5m])`, ``},
		{"a scalar", `scalar(zmy{$J})`, ``},
		{"a scalar inside", `zmy{$J} * scalar(zmy{$J})`, ``},
		{"topk", `topk(1, zmy{$J})`, ``},
		{"count_values", `count_values("v", zmy{$J})`, ``},
		{"sort", `sort(zmy{$J})`, ``},
		{"label_join", `label_join(zmy{$J}, "x", "", "i")`, ``},
		{"the label replaced", `label_replace(zmy{$J}, "job", "x", "", "")`, ``},
		{"a label copied that is not there", `label_replace(sum(zmy{$J}), "x", "$1", "job", "(.*)")`, ``},
		{"the label brought along", `idle{$J} / ignoring (i) group_left (job) all{$J}`, ``},
		{"with the label on one side only", `idle{$J} / sum(all{$J})`, ``},
		{"with the label on one side of an or", `idle{$J} or on () sum(all{$J})`, ``},
		{"with the label on one side of a match that lost it", `(idle{$J} * on (i) all{$J}) + all{$J}`, ``},
		{"without a vector", `hour() + time()`, ``},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, b := strings.ReplaceAll(c.query, "$J", `job="a"`), strings.ReplaceAll(c.query, "$J", `job="b"`)
			got := plan.Make(prepare(t, b, a), plan.Limits{Merge: 2, Bytes: 1000})
			var want []plan.Batch
			if c.want != "" {
				want = []plan.Batch{{
					Text:    strings.ReplaceAll(c.want, "$P", `job=~"a|b"`),
					Label:   "job",
					Members: []plan.Member{{Query: 1, Key: "a"}, {Query: 0, Key: "b"}},
				}}
			} else if a == b {
				want = []plan.Batch{{Text: a, Members: []plan.Member{{Query: 0}, {Query: 1}}}}
			} else {
				want = []plan.Batch{{Text: a, Members: []plan.Member{{Query: 1}}}, {Text: b, Members: []plan.Member{{Query: 0}}}}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestLabels: which labels may be left open. The queries differ in the first value.
func TestLabels(t *testing.T) {
	cases := []struct {
		name, a, b string
		want       string // the label, empty if there is none
	}{
		{"any", `x{l="a"}`, `x{l="b"}`, "l"},
		{"the second", `x{k="a", l="a"}`, `x{k="a", l="b"}`, "l"},
		{"one that needs quotes", `x{"l.m"="a"}`, `x{"l.m"="b"}`, "l.m"},
		{"the name", `a{l="1"}`, `b{l="1"}`, ""},
		{"the name as a label", `{__name__="a"}`, `{__name__="b"}`, ""},
		{"a reserved one", `x{__type__="a"}`, `x{__type__="b"}`, ""},
		{"le", `x{le="1"}`, `x{le="2"}`, ""},
		{"no value", `x{l=""}`, `x{l="b"}`, ""},
		{"no character", "x{l=\"\\xff\"}", `x{l="b"}`, ""},
		{"two values that differ", `x{k="a", l="a"}`, `x{k="b", l="b"}`, ""},
		{"a pattern", `x{l=~"a"}`, `x{l=~"b"}`, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := plan.Make(prepare(t, c.a, c.b), plan.DefaultLimits())[0].Label
			if c.want == "" {
				c.want = plan.Tag
			}
			if got != c.want {
				t.Errorf("Make() told the members apart by %q, want %q", got, c.want)
			}
		})
	}
}

func TestUnion(t *testing.T) {
	got := plan.Make(prepare(t,
		"sum( a ) # busy", "time()", "-b", "sum(a)", "c", `sum(d{job="x"})`, `sum(d{job="y"})`, "zmy_query", `sum by (job) (d{job="y"})`,
		`-e{job="x"}`, `-e{job="y"}`,
	), plan.DefaultLimits())
	want := []plan.Batch{
		{Text: "-b", Members: []plan.Member{{Query: 2}}},
		{Text: "zmy_query", Members: []plan.Member{{Query: 7}}},
		{Text: `-e{job=~"x|y"}`, Label: "job", Members: []plan.Member{{Query: 9, Key: "x"}, {Query: 10, Key: "y"}}},
		{
			Text: `((label_replace(c, "zmy_query", "0", "", "")) or ` +
				`(label_replace(sum(a), "zmy_query", "1", "", ""))) or ` +
				`((label_replace(vector(time()), "zmy_query", "2", "", "")) or ` +
				`(label_replace(sum by (job) (d{job=~"x|y"}), "zmy_query", "3:${1}", "job", "(?s:(.*))")))`,
			Label: plan.Tag,
			Members: []plan.Member{
				{Query: 4, Key: "0"},
				{Query: 0, Key: "1"},
				{Query: 3, Key: "1"},
				{Query: 1, Key: "2"},
				{Query: 5, Key: "3:x"},
				{Query: 8, Key: "3:y"},
				{Query: 6, Key: "3:y"},
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestValuesAreQuoted(t *testing.T) {
	got := plan.Make(prepare(t, `x{l="a.b"}`, "x{l=`\\d\"`}", `x{l="c|d"}`, `x{l="\n日"}`), plan.DefaultLimits())
	if want := `x{l=~"\n日|\\\\d\"|a\\.b|c\\|d"}`; len(got) != 1 || got[0].Text != want {
		t.Errorf("Make() = %+v, want one of %s", got, want)
	}
}

// Prometheus looks values up by their names as long as it knows a pattern to be a
// set of strings.
func TestAFullMergeIsASetOfValues(t *testing.T) {
	limits := plan.DefaultLimits()
	var texts []string
	for i := range limits.Merge {
		texts = append(texts, fmt.Sprintf("x{l=%q}", []string{"team|%d", "service-%d.prod", "%d"}[i%3]+strconv.Itoa(i)))
	}
	batches := plan.Make(prepare(t, texts...), limits)
	if len(batches) != 1 {
		t.Fatalf("%d batches, want one", len(batches))
	}
	matchers, err := parser.NewParser(parser.Options{}).ParseMetricSelector(batches[0].Text)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(matchers[0].SetMatches()); n != limits.Merge {
		t.Errorf("%s is a set of %d values, want %d", matchers[0], n, limits.Merge)
	}
}

// The largest group is formed first, and takes its members out of the others,
// which then wait for their turn.
func TestLargestGroupFirst(t *testing.T) {
	var texts []string
	for _, s := range []string{"1 1", "2 1", "3 1", "4 1", "5 1", "1 2", "1 3", "1 4", "6 2", "7 2", "8 2"} {
		job, ns, _ := strings.Cut(s, " ")
		texts = append(texts, fmt.Sprintf("x{job=%q, ns=%q}", job, ns))
	}
	var got []string
	for _, b := range plan.Make(prepare(t, texts...), plan.Limits{Merge: 10, Bytes: 100}) {
		got = append(got, b.Text)
	}
	want := []string{`x{job="1",ns=~"3|4"}`, `x{job=~"1|6|7|8",ns="2"}`, `x{job=~"1|2|3|4|5",ns="1"}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Of several ways to write a query, the same one is sent whoever comes first.
func TestOneOfSeveralTexts(t *testing.T) {
	for _, texts := range [][]string{{"sum(a)", "sum( a )"}, {"sum( a )", "sum(a)"}} {
		got := plan.Make(prepare(t, texts...), plan.DefaultLimits())
		if len(got) != 1 || got[0].Text != "sum( a )" || len(got[0].Members) != 2 {
			t.Errorf("Make(%q) = %+v", texts, got)
		}
	}
}

// 2,000 queries of 1,000 shapes.
func TestManyShapesAreFewRequests(t *testing.T) {
	var texts []string
	for i := range 1000 {
		texts = append(texts, fmt.Sprintf(`avg(zmy_%d{job="a"})`, i), fmt.Sprintf(`avg(zmy_%d{job="b"})`, i))
	}
	if n := len(plan.Make(prepare(t, texts...), plan.DefaultLimits())); n > 16 {
		t.Errorf("%d requests, want 1,000 / 64", n)
	}
	for i := range texts {
		texts[i] = fmt.Sprintf("%s or vector(%d)", texts[i], i)
	}
	if n := len(plan.Make(prepare(t, texts...), plan.DefaultLimits())); n > 32 {
		t.Errorf("%d requests, want 2,000 / 64", n)
	}
}

func TestWhatIsAskedAsItStands(t *testing.T) {
	long := "sum(" + strings.Repeat("x + ", 4000) + "x)"
	for _, text := range []string{
		long,
		`x[5m]`,
		`"text"`,
		`sum by (zmy_query) (x)`,
		`label_replace(x, "a", "b", "", "") # comment`,
		`(((-x)))`,
		`x{l="\ufffd"}`, // the parser does not read what it prints
	} {
		got := plan.Make(prepare(t, text, "y", "z"), plan.DefaultLimits())
		if !slices.ContainsFunc(got, func(b plan.Batch) bool { return b.Text == text && b.Label == "" && len(b.Members) == 1 }) {
			t.Errorf("%.50s is not asked alone: %+v", text, got)
		}
	}
}

func TestPrepareReturnsTheParsersError(t *testing.T) {
	for _, text := range []string{"", "sum(", "x[5m", "step()", "limitk(1, x)"} {
		if q, err := plan.Prepare(text); err == nil || q != nil {
			t.Errorf("Prepare(%q) = %v, %v, want an error", text, q, err)
		}
	}
}
