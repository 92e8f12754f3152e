package promquery

import (
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// The functions below recognize queries that are valid and rarely what a trigger
// needs. They look at the shape alone: what they do not see may still be wrong. A
// query that does not parse is nothing to them.

// Constant reports whether a query gives the same number at any time: it selects
// no series and does not look at the time.
func Constant(query string) bool {
	expr, err := parse(query)
	if err != nil {
		return false
	}
	clock := []string{"time", "minute", "hour", "month", "year", "day_of_week", "day_of_month", "day_of_year", "days_in_month"}
	constant := true
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			constant = false
		case *parser.Call:
			constant = constant && !slices.Contains(clock, n.Func.Name)
		}
		return nil
	})
	return constant
}

// HiddenLookback returns the recording rule that makes the stretch of time a query
// averages over longer than its ranges say: one that a range is put over, or one
// whose name ends in a range, as in job:idle:avg5m. By convention it is the rules
// that have a colon in their name. It returns "" where there is none.
func HiddenLookback(query string) string {
	expr, err := parse(query)
	if err != nil {
		return ""
	}
	found := ""
	parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok || found != "" {
			return nil
		}
		if name := metricName(selector); strings.Contains(name, ":") && (ranged(path) || endsInRange(name)) {
			found = name
		}
		return nil
	})
	return found
}

func metricName(s *parser.VectorSelector) string {
	for _, m := range s.LabelMatchers {
		if m.Name == model.MetricNameLabel && m.Type == labels.MatchEqual {
			return m.Value
		}
	}
	return s.Name
}

// ranged reports whether any of the nodes around a selector is a range.
func ranged(path []parser.Node) bool {
	return slices.ContainsFunc(path, func(n parser.Node) bool {
		switch n.(type) {
		case *parser.MatrixSelector, *parser.SubqueryExpr:
			return true
		}
		return false
	})
}

// endsInRange matches the last part of names such as job:idle:avg5m, job:idle:5m
// and job:idle:avg_over_time_1h.
func endsInRange(name string) bool {
	return regexp.MustCompile(`:([a-z_]*[a-z_])?[0-9]+(s|m|h|d|w)$`).MatchString(name)
}

// Grouped returns the labels that make a query give a series for each of their
// values, as in avg by (pod) (...). Labels that every selector pins to one value
// do not count. Aggregations that keep series as they are give their own name.
func Grouped(query string) []string {
	expr, err := parse(query)
	if err != nil {
		return nil
	}
	return grouped(expr)
}

func grouped(expr parser.Expr) []string {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return grouped(e.Expr)
	case *parser.UnaryExpr:
		return grouped(e.Expr)
	case *parser.SubqueryExpr:
		return grouped(e.Expr)
	case *parser.StepInvariantExpr:
		return grouped(e.Expr)
	case *parser.BinaryExpr:
		// Of what is on the right, and and unless take nothing over.
		if left := grouped(e.LHS); len(left) > 0 || e.Op == parser.LAND || e.Op == parser.LUNLESS {
			return left
		}
		return grouped(e.RHS)
	case *parser.Call:
		return groupedCall(e)
	case *parser.AggregateExpr:
		return groups(e)
	}
	return nil
}

func groupedCall(e *parser.Call) []string {
	// Scalar and absent make one series of any number.
	if e.Func.Name == "scalar" || strings.HasPrefix(e.Func.Name, "absent") {
		return nil
	}
	for _, arg := range e.Args {
		free := grouped(arg)
		if e.Func.Name == "histogram_quantile" || e.Func.Name == "histogram_fraction" {
			// The buckets of a histogram become one number.
			free = slices.DeleteFunc(free, func(label string) bool { return label == model.BucketLabel })
		}
		if len(free) > 0 {
			return free
		}
	}
	return nil
}

func groups(e *parser.AggregateExpr) []string {
	switch e.Op {
	case parser.TOPK, parser.BOTTOMK:
		if k, ok := e.Param.(*parser.NumberLiteral); !ok || k.Val > 1 {
			return []string{e.Op.String()}
		}
	case parser.COUNT_VALUES:
		return []string{e.Op.String()}
	}
	if e.Without {
		return []string{"without (" + strings.Join(e.Grouping, ", ") + ")"}
	}
	var free []string
	for _, label := range e.Grouping {
		if !pinned(e.Expr, label) {
			free = append(free, label)
		}
	}
	return free
}

// pinned reports whether every selector asks for one value of a label.
func pinned(expr parser.Expr, label string) bool {
	all := true
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			all = all && slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool {
				return m.Name == label && m.Type == labels.MatchEqual
			})
		}
		return nil
	})
	return all
}

// Percent reports whether a query multiplies by 100, or takes from 100, last of
// all: what it gives is likely meant as percent.
func Percent(query string) bool {
	expr, err := parse(query)
	return err == nil && percent(expr)
}

func percent(expr parser.Expr) bool {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return percent(e.Expr)
	case *parser.SubqueryExpr:
		return percent(e.Expr)
	case *parser.StepInvariantExpr:
		return percent(e.Expr)
	case *parser.AggregateExpr:
		return percent(e.Expr)
	case *parser.Call:
		return slices.ContainsFunc(e.Args, percent)
	case *parser.BinaryExpr:
		switch e.Op {
		case parser.MUL:
			return hundred(e.LHS) || hundred(e.RHS)
		case parser.SUB:
			return hundred(e.LHS)
		}
	}
	return false
}

func hundred(expr parser.Expr) bool {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return hundred(e.Expr)
	case *parser.NumberLiteral:
		return e.Val == 100
	}
	return false
}
