package plan

import (
	"reflect"
	"testing"
)

func TestSame(t *testing.T) {
	cases := []struct {
		a, b string
		want bool
	}{
		{`sum( x )  # comment`, `sum(x)`, true},
		{`x{a="1", b="2"}`, `x{b="2", a="1"}`, true},
		{`NaN`, `NaN`, true},
		{`sum by () (x)`, `sum(x)`, true},
		{`x`, `y`, false},
		{`x`, `(x)`, false},
		{`x{a="1"}`, `x{a="2"}`, false},
		{`x{a="1"}`, `x{a!="1"}`, false},
		{`x{a="1"}`, `x{a="1", a="1"}`, false},
		{`x`, `x offset 1s`, false},
		{`x @ 1`, `x @ 2`, false},
		{`x @ 1`, `x`, false},
		{`x @ start()`, `x @ end()`, false},
		{`rate(x[1m])`, `rate(x[2m])`, false},
		{`rate(x[1m])`, `irate(x[1m])`, false},
		{`rate(x[1m:1s])`, `rate(x[1m:2s])`, false},
		{`1`, `2`, false},
		{`60`, `1m`, false},
		{`x + y`, `x - y`, false},
		{`x == y`, `x == bool y`, false},
		{`x / on (a) y`, `x / ignoring (a) y`, false},
		{`x / on (a) y`, `x / on (b) y`, false},
		{`x / on (a) group_left y`, `x / on (a) group_right y`, false},
		{`sum by (a) (x)`, `sum without (a) (x)`, false},
		{`topk(1, x)`, `topk(2, x)`, false},
		{`count_values("a", x)`, `count_values("b", x)`, false},
	}
	for _, c := range cases {
		a, err1 := parse(c.a)
		b, err2 := parse(c.b)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if got := same(reflect.ValueOf(a), reflect.ValueOf(b)); got != c.want {
			t.Errorf("same(%s, %s) = %t", c.a, c.b, got)
		}
	}
}
