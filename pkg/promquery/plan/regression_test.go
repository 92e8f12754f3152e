package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
)

// crafted returns data on which a plan that is only nearly right gives another
// answer: series that differ in nothing but the job, and jobs that lack some.
func crafted() []promembed.Sample {
	var all []promembed.Sample
	add := func(v float64, h *histogram.FloatHistogram, pairs ...string) {
		l := labels.FromStrings(pairs...)
		for at := start(); !at.After(end()); at = at.Add(scrape) {
			all = append(all, promembed.Sample{Labels: l, T: at, V: v, H: h})
		}
	}
	for i, job := range []string{"a", "b", "c"} {
		v := float64(i + 1)
		add(v, nil, "__name__", "plain", "job", job)
		add(v, nil, "__name__", "twice", "job", job, "i", "0")
		add(v+10, nil, "__name__", "twice", "job", job, "i", "1")
		if job != "c" {
			add(v+20, nil, "__name__", "some", "job", job)
		}
		add(v, nil, "__name__", "both_float", "job", job)
		add(0, &histogram.FloatHistogram{Count: v, Sum: v, ZeroThreshold: 1, ZeroCount: v}, "__name__", "both_histogram", "job", job)
		add(v, nil, "__name__", "d_bucket", "job", job, "le", "1")
		add(v+1, nil, "__name__", "d_bucket", "job", job, "le", "+Inf")
	}
	return all
}

// TestRegressions: what each query is about must survive being planned with the
// same for other jobs. Most are not merged, for the reason given.
func TestRegressions(t *testing.T) {
	cases := []struct{ name, query string }{
		{"one side only has the label", `plain{$J} + sum(some{$J})`},
		{"one side only has it, where it does not count", `plain{$J} + on () sum(some{$J})`},
		{"a match drops it", `(plain{$J} + on () twice{$J, i="0"}) + plain{$J}`},
		{"ignoring drops it", `(plain{$J} + ignoring (job, i) twice{$J, i="0"}) + plain{$J}`},
		{"or gives some with it and some without", `(some{$J} or on () sum(plain{$J})) * plain{$J}`},
		{"a label is copied that is not there", `label_replace(sum(plain{$J}), "k", "$1", "job", "(.*)") + on (k) label_replace(plain{$J}, "k", "$1", "job", "(.*)")`},
		{"many on the right keep it", `(sum(plain{$J}) * on () group_right () twice{$J}) + twice{$J}`},
		{"many on the left keep it", `(twice{$J} * on () group_left () sum(plain{$J})) + twice{$J}`},
		{"an inner match is missing", `sum(some{$J}) + sum(plain{$J})`},
		{"one side is of all jobs", `sum(plain{$J}) * on () sum(some)`},
		{"absent", `absent(some{$J})`},
		{"absent inside", `sum(plain{$J}) + on () absent(some{$J})`},
		{"absent, and the order of its matchers", `sum(plain{$J}) + on () (absent(some{job=~"[abc]", $J}) * on (job) plain{$J})`},
		{"a default", `sum(some{$J}) or vector(0)`},
		{"several", `twice{$J}`},
		{"several on a side that must be one, beside nothing", `some{$J} * on () twice{$J}`},
		{"several on a side that must be one", `plain{$J} * on () twice{$J}`},
		{"a float and a histogram become one by a sign", `-{__name__=~"both_.*", $J}`},
		{"a float and a histogram become one by a name", `label_replace({__name__=~"both_.*", $J}, "__name__", "x", "", "")`},
		{"a float and a histogram become one inside", `sum(-{__name__=~"both_.*", $J})`},
		{"floats become one", `-{__name__=~"plain|some", $J}`},
		{"NaN with a sign", `(-NaN)`},
		{"a scalar of several", `scalar(twice{$J})`},
		{"the buckets of a histogram", `histogram_quantile(0.5, d_bucket{$J})`},
		{"one bucket", `histogram_quantile(0.5, d_bucket{le="1", $J})`},
		{"of each the largest", `topk(1, twice{$J})`},
		{"a hidden comparison", `count(plain{$J} > 1)`},
	}
	w := newWorld(t, crafted())
	var all []*plan.Query
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var texts []string
			for _, job := range []string{"a", "b", "c", "none"} {
				texts = append(texts, strings.ReplaceAll(c.query, "$J", `job="`+job+`"`))
			}
			queries := prepare(t, texts...)
			all = append(all, queries...)
			checkInstantAndRange(t, w, queries)
		})
	}
	checkInstantAndRange(t, w, all)
}

func checkInstantAndRange(t *testing.T, w *world, queries []*plan.Query) {
	t.Helper()
	w.t = t
	for _, steps := range []int{0, 3} {
		w.ask(end().Add(-time.Duration(steps)*step), steps)
		for _, limits := range []plan.Limits{plan.DefaultLimits(), {Merge: 10, Bytes: 10_000}, {Union: 10, Bytes: 10_000}} {
			w.compare(queries, limits)
		}
	}
}
