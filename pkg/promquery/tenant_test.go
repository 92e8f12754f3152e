package promquery_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

func TestEnforce(t *testing.T) {
	const own = `namespace="shop"`
	tests := []struct {
		name  string
		query string
		want  string
	}{
		{name: "bare name", query: "zmy", want: "zmy{" + own + "}"},
		{name: "matchers", query: `zmy{job="a",pod=~"b.*"}`, want: `zmy{job="a",` + own + `,pod=~"b.*"}`},
		{name: "no name", query: `{job="a"}`, want: `{job="a",` + own + `}`},
		{name: "names by regex", query: `{__name__=~"zmy|x"}`, want: `{__name__=~"zmy|x",` + own + `}`},
		{name: "name in UTF-8 that looks like PromQL", query: `{"zmy or x"}`, want: `{__name__="zmy or x",` + own + `}`},
		{name: "label in UTF-8", query: `zmy{"a.b"="c"}`, want: `zmy{"a.b"="c",` + own + `}`},
		{name: "names its own", query: "zmy{" + own + "}", want: "zmy{" + own + "}"},
		{name: "names its own twice", query: "zmy{" + own + "," + own + "}", want: "zmy{" + own + "}"},
		{name: "own by regex", query: `zmy{namespace=~"shop|bank"}`, want: "zmy{" + own + "}"},
		{name: "not another", query: `zmy{namespace!="bank",namespace!~"b.*"}`, want: "zmy{" + own + "}"},
		{name: "not empty", query: `zmy{namespace!=""}`, want: "zmy{" + own + "}"},
		{name: "range", query: "avg_over_time(zmy[5m])", want: "avg_over_time(zmy{" + own + "}[5m])"},
		{name: "offset and @", query: "zmy @ 60 offset 5m", want: "zmy{" + own + "} @ 60.000 offset 5m"},
		{name: "subquery", query: "max_over_time(rate(x[1m])[5m:30s] offset 1m)", want: "max_over_time(rate(x{" + own + "}[1m])[5m:30s] offset 1m)"},
		{name: "aggregation and its parameter", query: "topk(scalar(x), zmy)", want: "topk(scalar(x{" + own + "}), zmy{" + own + "})"},
		{name: "arguments", query: `label_replace(clamp(zmy, scalar(x), scalar(y)), "namespace", "bank", "", "")`, want: `label_replace(clamp(zmy{` + own + `}, scalar(x{` + own + `}), scalar(y{` + own + `})), "namespace", "bank", "", "")`},
		{name: "nested binary operations", query: "zmy + on (namespace) group_left () (x - y or z)", want: "zmy{" + own + "} + on (namespace) group_left () (x{" + own + "} - y{" + own + "} or z{" + own + "})"},
		{name: "unary", query: "-zmy ^ 2", want: "-zmy{" + own + "} ^ 2"},
		{name: "comments and lines", query: "sum( # zmy{namespace=\"bank\"}\n  zmy\n)", want: "sum(zmy{" + own + "})"},
		{name: "text that looks like a selector", query: `zmy{job="x{namespace=\"bank\"}"}`, want: `zmy{job="x{namespace=\"bank\"}",` + own + `}`},
		{name: "no selector", query: "time() * vector(1)", want: "time() * vector(1)"},
		{name: "absence keeps its labels", query: `absent(zmy{job="a"})`, want: `absent(zmy{job="a",` + own + `,` + own + `})`},
		{name: "absence of its own keeps the label", query: "absent(zmy{" + own + "})", want: "absent(zmy{" + own + "})"},
		{name: "absence of its own, with another matcher after it", query: "absent(zmy{" + own + `,namespace!="bank"})`, want: "absent(zmy{" + own + "," + own + "})"},
		{name: "absence of its own, with another matcher before it", query: `absent(zmy{namespace!="bank",` + own + "})", want: "absent(zmy{" + own + "})"},
		{name: "absence of its own three times", query: "absent(zmy{" + own + "," + own + "," + own + "})", want: "absent(zmy{" + own + "," + own + "})"},
		{name: "absence with matchers that give no label", query: `absent(zmy{job!="b",job!="a"})`, want: `absent(zmy{job!="a",job!="b",` + own + `,` + own + `})`},
		{name: "absence over time", query: "absent_over_time((zmy[5m]))", want: "absent_over_time((zmy{" + own + "," + own + "}[5m]))"},
		{name: "absence of what is computed", query: "absent(sum(zmy))", want: "absent(sum(zmy{" + own + "}))"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := promquery.Enforce(tt.query, "namespace", "shop")
			if err != nil || got != tt.want {
				t.Fatalf("Enforce(%s)\n= %s, %v\nwant %s", tt.query, got, err, tt.want)
			}
			if again, err := promquery.Enforce(got, "namespace", "shop"); err != nil || again != got {
				t.Errorf("once more: %s, %v", again, err)
			}
		})
	}
}

func TestEnforceRefuses(t *testing.T) {
	tests := []struct {
		name  string
		query string
		value string
		want  []string
	}{
		{name: "another", query: `zmy{namespace="bank"}`, want: []string{`column 1: namespace="bank" shuts out namespace="shop"`, "leave the matcher out"}},
		{name: "not its own", query: `zmy{namespace!="shop"}`, want: []string{`namespace!="shop" shuts out`}},
		{name: "others by regex", query: `zmy{namespace=~"b.*"}`, want: []string{`namespace=~"b.*" shuts out`}},
		{name: "not its own by regex", query: `zmy{namespace!~"s.*|x"}`, want: []string{`namespace!~"s.*|x" shuts out`}},
		{name: "without the label", query: `zmy{namespace=""}`, want: []string{`namespace="" shuts out`}},
		{name: "beside its own", query: `zmy{namespace="shop",namespace="bank"}`, want: []string{`namespace="bank" shuts out`}},
		{name: "regexes are anchored", query: `zmy{namespace=~"sho"}`, want: []string{`namespace=~"sho" shuts out`}},
		{name: "an absence that depends on an order", query: `absent(zmy{job=~"a.*",job="a"})`, want: []string{"column 8: what absent gives depends on the order of several matchers on one label"}},
		{
			name:  "all at once",
			query: "sum(zmy{namespace=\"a\"})\n+ sum(topk(scalar(x{namespace=~\"b\"}), y{namespace!~\".+\"}))",
			want:  []string{`line 1, column 5: namespace="a"`, `line 2, column 19: namespace=~"b"`, `line 2, column 39: namespace!~".+"`},
		},
		{name: "broken", query: "sum(", want: []string{"unclosed left parenthesis"}},
		{name: "nobody", query: "zmy", value: "-", want: []string{"one namespace, and the trigger comes without a namespace"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			value := "shop"
			if tt.value == "-" {
				value = ""
			}
			got, err := promquery.Enforce(tt.query, "namespace", value)
			if err == nil || got != "" {
				t.Fatalf("Enforce(%s) = %q, %v; want an error", tt.query, got, err)
			}
			if e, ok := errors.AsType[*promquery.QueryError](err); !ok || e.Query != tt.query {
				t.Errorf("the error is %#v, want a QueryError of the query", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is %q, want %q in it", err, want)
				}
			}
		})
	}
}
