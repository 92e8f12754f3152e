package plan

import (
	"strings"
	"unicode/utf8"
	"unique"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// maxLabels bounds the work for a query with very many matchers, and what is kept
// of it. The first labels by name count.
const maxLabels = 16

// shape is a query in which the value of one label is left open. Queries that have
// a shape in common can be merged.
type shape struct {
	// template is the rewritten query, with mark for each pattern of values.
	// Shapes of different labels have different templates.
	template     unique.Handle[string]
	label, value string
}

// shapes returns the shapes of a query, given as it was parsed and as it is
// printed. As every selector must have the matcher, those of one are enough.
func shapes(expr parser.Expr, plain string) []shape {
	s := firstSelector(expr)
	if s == nil {
		return nil
	}
	var list []shape
	tried := 0
	for _, m := range sorted(s.LabelMatchers) {
		if tried == maxLabels {
			break
		}
		if !leavable(m) {
			continue
		}
		tried++
		if s, ok := newShape(plain, m.Name, m.Value); ok {
			list = append(list, s)
		}
	}
	return list
}

func newShape(plain, label, value string) (shape, bool) {
	expr, err := parse(plain)
	r := rewriting{label: label, value: value}
	if err != nil || r.expr(expr) == mixed {
		return shape{}, false
	}
	text, ok := printed(expr)
	pattern := "=~" + `"\x00"` // the mark, as it is printed
	if !ok || strings.Contains(text, mark) || strings.Count(text, pattern) != r.selectors {
		return shape{}, false
	}
	template := strings.ReplaceAll(text, pattern, "=~"+mark)
	return shape{template: unique.Make(template), label: label, value: value}, true
}

// leavable tells whether the value of a matcher may be left open.
func leavable(m *labels.Matcher) bool {
	switch {
	case m.Type != labels.MatchEqual, m.Value == "":
		return false
	case strings.HasPrefix(m.Name, "__"), m.Name == labels.BucketLabel:
		return false // functions drop or read them
	}
	// A pattern cannot tell the replacement character from what is no character.
	return !strings.ContainsRune(m.Value, utf8.RuneError)
}

// firstSelector returns a selector of the expression that is in no scalar.
func firstSelector(node parser.Node) *parser.VectorSelector {
	if s, ok := node.(*parser.VectorSelector); ok {
		return s
	}
	if e, ok := node.(parser.Expr); ok && e.Type() == parser.ValueTypeScalar {
		return nil
	}
	for child := range parser.ChildrenIter(node) {
		if s := firstSelector(child); s != nil {
			return s
		}
	}
	return nil
}
