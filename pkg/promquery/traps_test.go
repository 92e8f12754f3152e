package promquery_test

import (
	"strings"
	"testing"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

func TestConstant(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]bool{
		"3": true, "vector(3)": true, "(1 + 2) * 3": true, "scalar(vector(1))": true, "abs(vector(-1))": true,
		"sum(up)": false, "vector(time())": false, "hour() > bool 8": false, "count(up) * 0": false, "absent(up)": false,
		"sum(": false,
	} {
		if got := promquery.Constant(query); got != want {
			t.Errorf("Constant(%s) = %v", query, got)
		}
	}
}

func TestHiddenLookback(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"avg_over_time(job:idle:avg[5m])":                  "job:idle:avg",
		`avg_over_time({__name__="job:idle:avg"}[5m])`:     "job:idle:avg",
		"avg_over_time((1 - job:busy:avg)[5m:15s])":        "job:busy:avg",
		"avg(job:idle:avg5m)":                              "job:idle:avg5m",
		"job:idle:1h":                                      "job:idle:1h",
		"job:idle:avg_over_time_1h":                        "job:idle:avg_over_time_1h",
		"job:idle:avg":                                     "",
		`1 - avg(vllm:kv_cache_usage_perc{job="llm"})`:     "",
		"avg_over_time(idle[5m])":                          "",
		"avg_over_time(idle[5m]) - job:idle:avg":           "",
		`avg_over_time({__name__=~"job:idle:.*"}[5m])`:     "",
		"job:requests5m:":                                  "",
		"avg_over_time(":                                   "",
		"avg_over_time(idle[5m]) + avg_over_time(a:b[1m])": "a:b",
	} {
		if got := promquery.HiddenLookback(query); got != want {
			t.Errorf("HiddenLookback(%s) = %q, want %q", query, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"avg by (pod) (zmy)":                                       "pod",
		"sum by (pod, job) (zmy)":                                  "pod job",
		`sum by (job) (zmy{job="a"})`:                              "",
		`sum by (job) (zmy{job=~"a|b"})`:                           "job",
		`sum by (job) (zmy{job="a"} / slots)`:                      "job",
		"avg without (pod) (zmy)":                                  "without (pod)",
		"avg(sum by (pod) (zmy))":                                  "",
		"1 - avg by (pod) (zmy)":                                   "pod",
		"-(avg by (pod) (zmy))":                                    "pod",
		"avg_over_time((avg by (pod) (zmy))[5m:15s])":              "pod",
		"clamp_max(avg by (pod) (zmy), 1)":                         "pod",
		"scalar(avg by (pod) (zmy))":                               "",
		"absent(avg by (pod) (zmy))":                               "",
		"topk(3, zmy)":                                             "topk",
		"topk(1, zmy)":                                             "",
		"bottomk by (pod) (1, zmy)":                                "pod",
		`count_values("x", zmy)`:                                   "count_values",
		"avg(zmy)":                                                 "",
		"avg by () (zmy)":                                          "",
		"avg_over_time(zmy[5m])":                                   "",
		"sum(avg by (pod) (zmy)) / on () group_left () vector(10)": "",
		"histogram_quantile(0.95, sum by (le) (rate(d_bucket[5m]))) > bool 0.5": "",
		"histogram_quantile(0.95, sum by (le, pod) (rate(d_bucket[5m])))":       "pod",
		"sum by (le) (rate(d_bucket[5m]))":                                      "le",
		"avg(zmy) and on () avg by (pod) (ready)":                               "",
		"avg(zmy) unless on () avg by (pod) (ready)":                            "",
		"avg by (pod) (zmy) and avg by (job) (ready)":                           "pod",
		"avg(zmy) or avg by (pod) (ready)":                                      "pod",
		"avg by (":                                                              "",
	} {
		if got := strings.Join(promquery.Grouped(query), " "); got != want {
			t.Errorf("Grouped(%s) = %q, want %q", query, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]bool{
		"100 * avg(zmy)": true, "avg(zmy) * (100)": true, "100 - avg(busy_percent)": true, "avg(zmy * 100)": true,
		"avg_over_time((100 * avg(zmy))[5m:])": true, "clamp_min(100 * zmy, 0)": true,
		"avg(zmy)": false, "avg(zmy) * 10": false, "avg(busy) - 100": false, "100 * avg(zmy) / 100": false,
		"1 - avg(busy_percent) / 100": false, "100": false, "100 * (": false,
	} {
		if got := promquery.Percent(query); got != want {
			t.Errorf("Percent(%s) = %v", query, got)
		}
	}
}
