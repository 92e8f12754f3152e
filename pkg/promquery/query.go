package promquery

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// QueryError is what is wrong with a query.
type QueryError struct {
	// Query is the PromQL as it was given.
	Query string
	// Line and Column are where, counted from 1; 0 when it is the whole query.
	Line, Column int
	// Problem is what is wrong and, where there is one, the way out.
	Problem string
}

// Error returns the place and the problem.
func (e *QueryError) Error() string {
	switch {
	case e.Line == 0:
		return e.Problem
	case strings.Contains(e.Query, "\n"):
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Problem)
	}
	return fmt.Sprintf("column %d: %s", e.Column, e.Problem)
}

// MaxQuery is the longest query that can be used, in bytes. To read a query takes
// time that grows with the square of how deep it is nested, and nothing can stop it.
const MaxQuery = 16 << 10

// CheckQuery returns why the query cannot be used, nil when it can. What is
// wrong is a [*QueryError].
func CheckQuery(query string) error {
	if len(query) > MaxQuery {
		return &QueryError{Query: query, Problem: fmt.Sprintf("the query is %d bytes long, and at most %d can be used: record it with a rule, and ask for that", len(query), MaxQuery)}
	}
	expr, err := parse(query)
	if err != nil {
		return err
	}
	switch expr.Type() {
	case parser.ValueTypeMatrix:
		return &QueryError{Query: query, Problem: fmt.Sprintf("the query returns a range vector; wrap it in a function such as avg_over_time(%s)", expr)}
	case parser.ValueTypeString:
		return &QueryError{Query: query, Problem: "the query returns a string; a number is needed"}
	}
	var errs []error
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if problem := unrepeatable(node); problem != "" {
			errs = append(errs, place(query, int(node.PositionRange().Start), problem))
		}
		return nil
	})
	return errors.Join(errs...)
}

// unrepeatable tells why a part of a query gives one value when it is asked
// live and another when its history is asked for.
func unrepeatable(node parser.Node) string {
	var offset time.Duration
	var startOrEnd parser.ItemType
	switch n := node.(type) {
	case *parser.VectorSelector:
		offset, startOrEnd = n.OriginalOffset, n.StartOrEnd
	case *parser.SubqueryExpr:
		offset, startOrEnd = n.OriginalOffset, n.StartOrEnd
	}
	switch {
	case startOrEnd != 0:
		return "@ start() and @ end() mean another time when history is asked for; leave them out"
	case offset < 0:
		return "a negative offset looks into the future, which has no samples yet; leave it out"
	}
	return ""
}

// Lookback returns the stretch of time that one sample of the query is averaged
// over. Ranges and subqueries nested in one another add up and the longest path
// counts; a query without any range gives one interval. Offsets and @ do not
// count. The error is a [*QueryError].
func Lookback(query string, interval time.Duration) (time.Duration, error) {
	expr, err := parse(query)
	if err != nil {
		return 0, err
	}
	if d := lookback(expr); d > 0 {
		return d, nil
	}
	return interval, nil
}

func lookback(node parser.Node) time.Duration {
	var longest time.Duration
	for child := range parser.ChildrenIter(node) {
		longest = max(longest, lookback(child))
	}
	switch n := node.(type) {
	case *parser.MatrixSelector:
		return addDurations(longest, n.Range)
	case *parser.SubqueryExpr:
		return addDurations(longest, n.Range)
	}
	return longest
}

// addDurations adds without overflow: two ranges of 200 years each are legal.
func addDurations(a, b time.Duration) time.Duration {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// BareComparison reports whether the query is a comparison without bool at its
// top level, parentheses and signs aside: it gives nothing, rather than 0, while
// it is false. A query that does not parse is none.
func BareComparison(query string) bool {
	expr, err := parse(query)
	return err == nil && bareComparison(expr)
}

func bareComparison(expr parser.Expr) bool {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return bareComparison(e.Expr)
	case *parser.UnaryExpr:
		return bareComparison(e.Expr)
	case *parser.BinaryExpr:
		return e.Op.IsComparisonOperator() && !e.ReturnBool
	}
	return false
}

// HiddenComparison reports whether the query is made of a bare comparison, as in
// count(x > 0), so that it gives nothing while the comparison holds for no series.
// Unlike a [BareComparison] it is often meant.
func HiddenComparison(query string) bool {
	expr, err := parse(query)
	return err == nil && !bareComparison(expr) && vanishes(expr)
}

// vanishes reports whether an expression gives nothing while a bare comparison in it
// holds for no series.
func vanishes(expr parser.Expr) bool {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return vanishes(e.Expr)
	case *parser.UnaryExpr:
		return vanishes(e.Expr)
	case *parser.SubqueryExpr:
		return vanishes(e.Expr)
	case *parser.AggregateExpr:
		return vanishes(e.Expr)
	case *parser.Call:
		// Of nothing, scalar makes NaN and absent makes 1.
		return e.Func.Name != "scalar" && !strings.HasPrefix(e.Func.Name, "absent") && slices.ContainsFunc(e.Args, vanishes)
	case *parser.BinaryExpr:
		return bareComparison(e) || vanishingOperand(e)
	}
	return false
}

func vanishingOperand(e *parser.BinaryExpr) bool {
	switch e.Op {
	case parser.LOR:
		return vanishes(e.LHS) && vanishes(e.RHS)
	case parser.LAND, parser.LUNLESS:
		// What is on the right is a condition, and known to be one.
		return vanishes(e.LHS)
	case parser.DIV, parser.MOD:
		// A comparison in a divisor keeps 0 out of it: without it there is no
		// usable number, either.
		return vanishes(e.LHS)
	}
	return vanishes(e.LHS) || vanishes(e.RHS)
}

// parse reads PromQL as a stock Prometheus does, experimental features off.
func parse(query string) (parser.Expr, error) {
	if strings.TrimSpace(query) == "" {
		return nil, &QueryError{Query: query, Problem: "the query is empty"}
	}
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err == nil {
		return expr, nil
	}
	var all parser.ParseErrors
	if errors.As(err, &all) && len(all) > 0 {
		return nil, place(query, int(all[0].PositionRange.Start), all[0].Err.Error())
	}
	if one, ok := errors.AsType[*parser.ParseErr](err); ok {
		return nil, place(query, int(one.PositionRange.Start), one.Err.Error())
	}
	return nil, &QueryError{Query: query, Problem: err.Error()}
}

// place turns a byte offset into a line and a column of characters.
func place(query string, offset int, problem string) *QueryError {
	before := query[:max(0, min(offset, len(query)))]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return &QueryError{
		Query:   query,
		Line:    strings.Count(before, "\n") + 1,
		Column:  len([]rune(line)) + 1,
		Problem: problem,
	}
}
