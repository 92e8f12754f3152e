package promquery

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// Enforce returns the query with the matcher label="value" in every selector, so
// that it sees the series of one tenant only. It then gives what the query given
// would give if the source held no other series. Other matchers on the label are
// taken out, since the equality says it all; one that shuts the value out is
// refused, and so are several on one label where their order counts. What is wrong is
// one [*QueryError] or several joined.
func Enforce(query, label, value string) (string, error) {
	if value == "" {
		// An empty matcher selects the series without the label: everybody's.
		return "", &QueryError{Query: query, Problem: fmt.Sprintf("the source restricts queries to one %s, and the trigger comes without a namespace", label)}
	}
	expr, err := parse(query)
	if err != nil {
		return "", err
	}
	own := labels.MustNewMatcher(labels.MatchEqual, label, value)
	var errs []error
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		for _, m := range selector.LabelMatchers {
			if m.Name == label && !m.Matches(value) {
				errs = append(errs, place(query, int(selector.PosRange.Start), fmt.Sprintf("%s shuts out %s, and a trigger of this namespace sees no other series of the source: leave the matcher out", m, own)))
			}
		}
		if absence(path) && ordered(selector.LabelMatchers, label) {
			errs = append(errs, place(query, int(selector.PosRange.Start), "what absent gives depends on the order of several matchers on one label, which a restricted query does not keep: write one of them"))
		}
		selector.LabelMatchers = confined(selector.LabelMatchers, own, absence(path))
		return nil
	})
	if len(errs) > 0 {
		return "", errors.Join(errs...)
	}
	// The boundary must not rest on the printer of another project.
	text := expr.String()
	if !isConfined(text, own) {
		return "", &QueryError{Query: query, Problem: fmt.Sprintf("the query cannot be restricted to %s: write it in a simpler way", own)}
	}
	return text, nil
}

// confined returns the matchers with own in place of all others on its label.
//
// What absent gives has a label for each equality, unless another matcher on the
// same label comes after it. So that own adds no label of that kind, it
// is then put in twice.
func confined(matchers []*labels.Matcher, own *labels.Matcher, absence bool) []*labels.Matcher {
	equal, labelled := false, false
	kept := make([]*labels.Matcher, 0, len(matchers)+2)
	for _, m := range matchers {
		if m.Name != own.Name {
			kept = append(kept, m)
			continue
		}
		labelled = m.Type == labels.MatchEqual && !equal
		equal = equal || labelled
	}
	if absence && !labelled {
		kept = append(kept, own)
	}
	return append(kept, own)
}

// ordered reports whether there is an equality among several matchers on one label,
// the name and the label to be forced apart: what absent gives then depends on what
// comes first.
func ordered(matchers []*labels.Matcher, forced string) bool {
	several, equal := map[string]int{}, map[string]bool{}
	for _, m := range matchers {
		several[m.Name]++
		equal[m.Name] = equal[m.Name] || m.Type == labels.MatchEqual
	}
	for name, n := range several {
		if n > 1 && equal[name] && name != forced && name != model.MetricNameLabel {
			return true
		}
	}
	return false
}

// absence reports whether a selector, whose ancestors are given, is what absent
// or absent_over_time looks for.
func absence(path []parser.Node) bool {
	for _, node := range slices.Backward(path) {
		switch n := node.(type) {
		case *parser.ParenExpr, *parser.MatrixSelector:
		case *parser.Call:
			return n.Func.Name == "absent" || n.Func.Name == "absent_over_time"
		default:
			return false
		}
	}
	return false
}

// isConfined reports whether the query parses and has own in every selector.
func isConfined(query string, own *labels.Matcher) bool {
	expr, err := parse(query)
	if err != nil {
		return false
	}
	for _, matchers := range parser.ExtractSelectors(expr) {
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool {
			return m.Name == own.Name && m.Type == own.Type && m.Value == own.Value
		}) {
			return false
		}
	}
	return true
}

// validateEnforceLabel returns why a label cannot be forced into queries.
func validateEnforceLabel(label string) error {
	switch {
	case label == "":
		return nil
	case !model.UTF8Validation.IsValidLabelName(label):
		return fmt.Errorf("enforceLabel %q: is no valid label name", label)
	case strings.HasPrefix(label, model.ReservedLabelPrefix):
		return fmt.Errorf("enforceLabel %q: names that begin with %s are Prometheus' own, and no series has them as a label", label, model.ReservedLabelPrefix)
	}
	return nil
}
