package promquery_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

func TestCheckQuery(t *testing.T) {
	tests := []struct {
		name  string
		query string
		want  string // "" for a good query
	}{
		{name: "vector", query: `avg(avg_over_time(zmy{job="a"}[5m]))`},
		{name: "scalar", query: "scalar(zmy)"},
		{name: "offset", query: "zmy offset 5m"},
		{name: "fixed time", query: "zmy @ 1700000000"},
		{name: "empty", query: " \n", want: "the query is empty"},
		{name: "long", query: "zmy" + strings.Repeat(" ", promquery.MaxQuery-3)},
		{name: "too long", query: "zmy" + strings.Repeat(" ", promquery.MaxQuery-2), want: "the query is 16385 bytes long, and at most 16384 can be used"},
		{name: "open end", query: "1 +", want: "column 4: unexpected end of input"},
		{name: "two lines", query: "sum(\n  zmy) a", want: `line 2, column 8: unexpected identifier "a"`},
		{name: "wide characters", query: `zmy{a="é"} a`, want: `column 12: unexpected identifier "a"`},
		{name: "unknown function", query: "mean(zmy)", want: `column 1: unknown function with name "mean"`},
		{name: "wrong argument", query: "rate(zmy)", want: "column 6: expected type range vector"},
		{name: "range vector", query: "zmy[5m]", want: "the query returns a range vector; wrap it in a function such as avg_over_time(zmy[5m])"},
		{name: "subquery", query: "zmy[5m:1m]", want: "the query returns a range vector; wrap it"},
		{name: "string", query: `"a"`, want: "the query returns a string"},
		{name: "start", query: "zmy @ start()", want: "column 1: @ start() and @ end() mean another time"},
		{name: "end of a subquery", query: "max_over_time(zmy[5m:1m] @ end())", want: "@ start() and @ end()"},
		{name: "future", query: "1 - zmy offset -5m", want: "column 5: a negative offset looks into the future"},
		{name: "future range", query: "sum(rate(zmy[5m] offset -5m))", want: "a negative offset looks into the future"},
		{name: "experimental", query: "mad_over_time(zmy[5m])", want: `function "mad_over_time" is not enabled`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := promquery.CheckQuery(tt.query)
			if tt.want == "" {
				if err != nil {
					t.Errorf("CheckQuery(%q) = %v", tt.query, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("CheckQuery(%q) = %v, want %q in it", tt.query, err, tt.want)
			}
			q, ok := errors.AsType[*promquery.QueryError](err)
			if !ok || q.Query != tt.query {
				t.Errorf("%#v is no QueryError about %q", err, tt.query)
			}
		})
	}
}

func TestLookback(t *testing.T) {
	const interval = 15 * time.Second
	tests := []struct {
		name  string
		query string
		want  time.Duration
	}{
		{name: "no range", query: "avg(zmy)", want: interval},
		{name: "number", query: "0.5", want: interval},
		{name: "range", query: "avg(avg_over_time(zmy[5m]))", want: 5 * time.Minute},
		{name: "shorter than an interval", query: "rate(x[5s])", want: 5 * time.Second},
		{name: "subquery adds", query: "avg_over_time(rate(x[1m])[5m:15s])", want: 6 * time.Minute},
		{name: "three deep", query: "max_over_time(avg_over_time(rate(x[1m])[5m:])[1h:])", want: 66 * time.Minute},
		{name: "longest path", query: "rate(x[1m]) / avg_over_time(rate(y[2m])[5m:]) + rate(z[6m])", want: 7 * time.Minute},
		{name: "offset and at", query: "rate(x[1m] offset 1h) + rate(y[2m] @ 0)", want: 2 * time.Minute},
		{name: "parameter", query: "quantile(scalar(rate(x[3m])), y)", want: 3 * time.Minute},
		{name: "no overflow", query: "max_over_time(max_over_time(x[290y])[290y:1y])", want: math.MaxInt64},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := promquery.Lookback(tt.query, interval)
			if err != nil || got != tt.want {
				t.Errorf("Lookback(%q) = %v, %v, want %v", tt.query, got, err, tt.want)
			}
		})
	}
	if _, err := promquery.Lookback("1 +", interval); err == nil {
		t.Error("Lookback of a broken query gave no error")
	}
}

func TestComparisons(t *testing.T) {
	tests := []struct {
		name         string
		query        string
		bare, hidden bool
	}{
		{name: "bare", query: "x > 0", bare: true},
		{name: "equal", query: "x == y", bare: true},
		{name: "parentheses and sign", query: "-((x > 0))", bare: true},
		{name: "bool", query: "x > bool 0"},
		{name: "scalars", query: "1 > bool 0"},
		{name: "no comparison", query: "x + 1"},
		{name: "filled up", query: "x > 0 or vector(0)"},
		{name: "as a filter", query: "sum(x) / sum(y > 0)"},
		{name: "count", query: "count(x > 0)", hidden: true},
		{name: "nested", query: "-(max(sum by (a) (x > 0)))", hidden: true},
		{name: "aggregation with bool", query: "sum(x > bool 0)"},
		{name: "count under bool", query: "count(x > 0) > bool 0", hidden: true},
		{name: "in a function", query: "ceil(count(x > 0))", hidden: true},
		{name: "in arithmetic", query: "sum(x > 5) / 10", hidden: true},
		{name: "on the right", query: "1 - avg(x > 0)", hidden: true},
		{name: "over time", query: "max_over_time(count(x > 0)[5m:])", hidden: true},
		{name: "as a condition", query: "x and on () (y > 0)"},
		{name: "under a condition", query: "(y > 0) and on () x", hidden: true},
		{name: "left of unless", query: "(x > 0) unless y", hidden: true},
		{name: "right of unless", query: "x unless (y > 0)"},
		{name: "on both sides of or", query: "x > 0 or y > 0", hidden: true},
		{name: "an aggregation filled up", query: "count(x > 0) or vector(0)"},
		{name: "absent", query: "absent(x > 0)"},
		{name: "scalar", query: "vector(scalar(count(x > 0)))"},
		{name: "compared again", query: "count(x > 0) > 1", bare: true},
		{name: "broken", query: "x >"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := promquery.BareComparison(tt.query); got != tt.bare {
				t.Errorf("BareComparison(%q) = %v", tt.query, got)
			}
			if got := promquery.HiddenComparison(tt.query); got != tt.hidden {
				t.Errorf("HiddenComparison(%q) = %v", tt.query, got)
			}
		})
	}
}

// FuzzQuery checks that no query, however odd, brings the reading down, and that
// every query found good can be read in all other ways too.
func FuzzQuery(f *testing.F) {
	for _, q := range []string{"", "zmy", "x[5m]", "avg_over_time(rate(x[1m])[5m:15s])", "x > 0", "count(-(x>bool 0))", "ceil(count(x > 0)) > 1", "x @ start()", "x offset -5m", `"\xff"`, "((((", "é{"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		const interval = 15 * time.Second
		err := promquery.CheckQuery(query)
		d, lookErr := promquery.Lookback(query, interval)
		if d < 0 {
			t.Fatalf("Lookback(%q) = %v", query, d)
		}
		if err == nil && (lookErr != nil || d <= 0) {
			t.Fatalf("CheckQuery(%q) is content, Lookback says %v, %v", query, d, lookErr)
		}
		if err != nil && err.Error() == "" {
			t.Fatalf("CheckQuery(%q) says nothing", query)
		}
		if promquery.BareComparison(query) && promquery.HiddenComparison(query) {
			t.Fatalf("%q is both kinds of comparison", query)
		}
	})
}
