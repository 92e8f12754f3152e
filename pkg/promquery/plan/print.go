package plan

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/parser/posrange"
)

// printed returns the text of an expression. It is false when that text would not
// be read as the same expression again.
func printed(expr parser.Expr) (string, bool) {
	if ordered(expr) {
		return "", false
	}
	text := expr.String()
	again, err := parse(text)
	if err != nil {
		return "", false
	}
	return text, same(reflect.ValueOf(expr), reflect.ValueOf(again))
}

// ordered reports whether the order of matchers counts, which printing does not keep:
// what absent gives depends on it where there are several for one label.
func ordered(expr parser.Expr) bool {
	found := false
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		call, ok := node.(*parser.Call)
		if !ok || call.Func.Name != "absent" && call.Func.Name != "absent_over_time" {
			return nil
		}
		for _, matchers := range parser.ExtractSelectors(call) {
			names := map[string]bool{}
			for _, m := range matchers {
				found = found || names[m.Name]
				names[m.Name] = true
			}
		}
		return nil
	})
	return found
}

// same compares two syntax trees in everything but where in the text they were,
// and the order of matchers. It goes through all the fields there are, so that it
// knows the fields that later versions of the parser add.
func same(a, b reflect.Value) bool {
	if a.Kind() == reflect.Interface || a.Kind() == reflect.Pointer {
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	}
	if a.Type() != b.Type() {
		return false
	}
	switch x := a.Interface().(type) {
	case posrange.Pos, posrange.PositionRange:
		return true
	case []*labels.Matcher:
		return slices.EqualFunc(sorted(x), sorted(b.Interface().([]*labels.Matcher)), sameMatcher)
	case float64:
		return cmp.Compare(x, b.Float()) == 0 // a NaN is itself
	}
	if a.Kind() == reflect.Struct || a.Kind() == reflect.Slice {
		return sameEach(a, b)
	}
	return a.Comparable() && a.Equal(b)
}

// sameEach compares the fields of structs, or the elements of slices.
func sameEach(a, b reflect.Value) bool {
	if a.Kind() == reflect.Struct {
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	if a.Len() != b.Len() {
		return false
	}
	for i := range a.Len() {
		if !same(a.Index(i), b.Index(i)) {
			return false
		}
	}
	return true
}

func sorted(matchers []*labels.Matcher) []*labels.Matcher {
	return slices.SortedFunc(slices.Values(matchers), func(a, b *labels.Matcher) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Value, b.Value))
	})
}

func sameMatcher(a, b *labels.Matcher) bool {
	return a.Name == b.Name && a.Type == b.Type && a.Value == b.Value
}
