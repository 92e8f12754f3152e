package promquery_test

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// brackets has some that are no range's.
const brackets = "avg_over_time(x[5m] # [\n offset 1m) # ]"

func TestWithLookback(t *testing.T) {
	t.Parallel()
	const raw, minute = 15 * time.Second, time.Minute
	tests := []struct {
		name, query string
		lookback    time.Duration
		want        string // empty where it cannot be told
	}{
		{name: "another range", query: `avg_over_time(zmy{job="a[1m]"}[5m])`, lookback: minute, want: `avg_over_time(zmy{job="a[1m]"}[1m])`},
		{name: "in an aggregation", query: `avg(avg_over_time(zmy{job="a"}[5m])) by (x)`, lookback: 2 * minute, want: `avg(avg_over_time(zmy{job="a"}[2m])) by (x)`},
		{name: "left out", query: `1 - avg(avg_over_time(busy{job="a"}[5m]))`, lookback: raw, want: `1 - avg(busy{job="a"})`},
		{name: "left out, with an offset", query: `avg_over_time(zmy[5m] offset 1m)`, lookback: raw, want: `zmy offset 1m`},
		{name: "changed, with an offset", query: `avg_over_time(zmy[5m] offset 1m)`, lookback: minute, want: `avg_over_time(zmy[1m] offset 1m)`},
		{name: "a space in it", query: "avg_over_time( zmy [ 5m ] )", lookback: minute, want: "avg_over_time( zmy [1m] )"},
		{name: "a rate", query: `1 - sum(rate(busy_seconds_total[5m])) / 8`, lookback: minute, want: `1 - sum(rate(busy_seconds_total[1m])) / 8`},
		{name: "a rate over too short a time", query: `1 - sum(rate(busy_seconds_total[5m])) / 8`, lookback: 30 * time.Second},
		{name: "none", query: `zmy{job="a"}`, lookback: minute, want: `avg_over_time(zmy{job="a"}[1m])`},
		{name: "none, and none wanted", query: `zmy{job="a"}`, lookback: raw, want: `zmy{job="a"}`},
		{name: "none, in an expression", query: `avg(zmy)`, lookback: minute, want: `avg_over_time((avg(zmy))[1m:15s])`},
		{name: "none, with an offset", query: `zmy offset 1m`, lookback: minute, want: `avg_over_time((zmy offset 1m)[1m:15s])`},
		{name: "two ranges", query: `avg_over_time(a[1m]) / avg_over_time(b[1m])`, lookback: minute},
		{name: "a subquery", query: `avg_over_time(avg(zmy)[5m:15s])`, lookback: minute},
		{name: "an increase depends on its range", query: `1 - increase(busy_seconds_total[5m]) / 300`, lookback: minute},
		{name: "a maximum is no average", query: `max_over_time(zmy[5m])`, lookback: minute},
		{name: "brackets in comments", query: brackets, lookback: minute},
		{name: "brackets in comments, left out", query: brackets, lookback: raw},
		{name: "no query", query: `zmy{`, lookback: minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := promquery.WithLookback(tt.query, tt.lookback, raw)
			if got != tt.want || ok != (tt.want != "") {
				t.Fatalf("got %q, %v; want %q", got, ok, tt.want)
			}
			if !ok {
				return
			}
			if d, err := promquery.Lookback(got, raw); err != nil || d != tt.lookback {
				t.Errorf("%q looks back %v, %v; want %v", got, d, err, tt.lookback)
			}
		})
	}
}

// FuzzWithLookback: what it makes of a query is a query, with that lookback.
func FuzzWithLookback(f *testing.F) {
	f.Add(`avg(avg_over_time(zmy{job="a"}[5m] offset 1m @ 3))`)
	f.Add(`1 - rate(x[1h])`)
	f.Add(`-(zmy)`)
	f.Add(brackets)
	f.Fuzz(func(t *testing.T, query string) {
		for _, lookback := range []time.Duration{15 * time.Second, 2 * time.Minute} {
			got, ok := promquery.WithLookback(query, lookback, 15*time.Second)
			if !ok {
				continue
			}
			if d, err := promquery.Lookback(got, 15*time.Second); err != nil || d != lookback {
				t.Errorf("%q made %q, which looks back %v, %v; want %v", query, got, d, err, lookback)
			}
		}
	})
}
