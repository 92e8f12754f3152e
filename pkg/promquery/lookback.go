package promquery

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// rateIntervals is how many intervals a rate must look back to see two samples
// whatever happens to one of them.
const rateIntervals = 4

// WithLookback returns the query with another stretch of time that one sample is
// averaged over. The range of its only avg_over_time or rate is changed; without
// one the whole query is averaged over. A lookback no longer than the interval
// leaves averaging out. It reports false for a query that it would have to guess
// at, and for a rate over too short a time.
func WithLookback(query string, lookback, interval time.Duration) (string, bool) {
	expr, err := parse(query)
	if err != nil || lookback < time.Second {
		return "", false
	}
	changed, ok := withLookback(expr, query, lookback, interval)
	if !ok {
		return "", false
	}
	// What stands in comments or strings may have led astray.
	if d, err := Lookback(changed, interval); err != nil || d != max(lookback, interval) {
		return "", false
	}
	return changed, true
}

func withLookback(expr parser.Expr, query string, lookback, interval time.Duration) (string, bool) {
	r := averagers{}
	parser.Inspect(expr, r.visit)
	raw := lookback <= interval
	switch {
	case r.other || len(r.found) > 1:
		return "", false
	case len(r.found) == 0 && raw:
		return query, true
	case len(r.found) == 0:
		return averaged(expr, query, lookback, interval), expr.Type() == parser.ValueTypeVector
	}
	f := r.found[0]
	inner := f.matrix.PositionRange()
	opening := strings.LastIndexByte(query[:inner.End], '[')
	closing := opening + strings.IndexByte(query[opening:], ']') + 1
	if closing <= opening || closing > int(inner.End) { // of a comment
		return "", false
	}
	switch {
	case f.call.Func.Name == "rate" && lookback < rateIntervals*interval:
		return "", false
	case raw:
		outer := f.call.PositionRange()
		// What stands behind the range may be an offset.
		args := query[inner.Start:opening] + query[closing:f.call.Args.PositionRange().End]
		return query[:outer.Start] + args + query[outer.End:], true
	}
	return query[:opening] + "[" + text(lookback) + "]" + query[closing:], true
}

// averaged returns a query without any range averaged over a lookback.
func averaged(expr parser.Expr, query string, lookback, interval time.Duration) string {
	if _, ok := expr.(*parser.VectorSelector); ok && !strings.Contains(query, "offset") && !strings.Contains(query, "@") {
		return "avg_over_time(" + strings.TrimSpace(query) + "[" + text(lookback) + "])"
	}
	return "avg_over_time((" + strings.TrimSpace(query) + ")[" + text(lookback) + ":" + text(interval) + "])"
}

func text(d time.Duration) string { return model.Duration(d).String() }

// averagers finds the ranges of a query.
type averagers struct {
	found []averager
	// other tells of a range that cannot be changed without changing the meaning.
	other bool
}

type averager struct {
	matrix *parser.MatrixSelector
	call   *parser.Call
}

func (r *averagers) visit(node parser.Node, path []parser.Node) error {
	switch n := node.(type) {
	case *parser.SubqueryExpr:
		r.other = true
	case *parser.MatrixSelector:
		call := callAbove(path)
		if call == nil || call.Func.Name != "avg_over_time" && call.Func.Name != "rate" {
			r.other = true
			return nil
		}
		r.found = append(r.found, averager{matrix: n, call: call})
	}
	return nil
}

// callAbove returns the call whose argument the node at the end of a path is.
func callAbove(path []parser.Node) *parser.Call {
	for _, node := range slices.Backward(path) {
		switch n := node.(type) {
		case *parser.Call:
			return n
		case parser.Expressions, *parser.StepInvariantExpr:
		default:
			return nil
		}
	}
	return nil
}
