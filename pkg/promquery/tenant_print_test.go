package promquery

import (
	"testing"

	"github.com/prometheus/prometheus/model/labels"
)

// TestIsConfined sees that a query would not get through, had printing lost a
// matcher.
func TestIsConfined(t *testing.T) {
	own := labels.MustNewMatcher(labels.MatchEqual, "namespace", "shop")
	for query, want := range map[string]bool{
		`x{namespace="shop"} + sum(y{a="b",namespace="shop"})`: true,
		"time()":                               true,
		"x":                                    false,
		`x{namespace="shop"} + sum(y{a="b"})`:  false,
		`topk(scalar(x), y{namespace="shop"})`: false,
		`x{namespace=~"shop"}`:                 false,
		`x{namespace="bank"}`:                  false,
		`x{other="shop"}`:                      false,
		`max_over_time(x[5m:]) * y{namespace="shop"}`:   false,
		`x{namespace="shop"} or x{namespace="shop"`:     false,
		`absent_over_time(x{namespace!="shop"}[5m:1m])`: false,
	} {
		if got := isConfined(query, own); got != want {
			t.Errorf("isConfined(%s) = %v", query, got)
		}
	}
}
