package plan

import (
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

// maxText is the longest query that is looked into, in bytes. Longer ones are
// asked alone: what is kept of a query is a few times as large as its text, and
// the parser prints deep expressions in quadratic time.
const maxText = 8 << 10

// Query is a query that was read. It does not change, and can be planned any
// number of times and by several goroutines.
type Query struct {
	text string
	// plain is the text without comments and needless space. Queries that have it
	// in common are the same.
	plain string
	// joinable is false for a query that must be asked as it stands.
	joinable bool
	// scalar queries give a number without labels.
	scalar bool
	shapes []shape
}

// Text returns the query as it was given.
func (q *Query) Text() string { return q.text }

// Prepare reads a query as a stock Prometheus does, experimental features off.
// The error is that of the parser.
func Prepare(text string) (*Query, error) {
	expr, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("plan a query: %w", err)
	}
	q := &Query{text: text, plain: text}
	if len(text) > maxText {
		return q, nil
	}
	plain, ok := printed(expr)
	if !ok {
		return q, nil
	}
	if plain != text { // else it is kept once
		q.plain = plain
	}
	q.scalar = expr.Type() == parser.ValueTypeScalar
	q.joinable = joinable(expr, plain)
	if expr.Type() == parser.ValueTypeVector {
		q.shapes = shapes(expr, plain)
	}
	return q, nil
}

// joinable tells whether a query gives in a union what it gives alone.
func joinable(expr parser.Expr, plain string) bool {
	if t := expr.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return false
	}
	return !strings.Contains(plain, Tag) && !collapses(expr)
}

// collapses tells whether the outermost operation renames series. The engine then
// puts series of the same new name together, and if one is a float and the other
// a histogram an operator around them sees the float where the answer of the query
// alone is the histogram.
func collapses(expr parser.Expr) bool {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return collapses(e.Expr)
	case *parser.UnaryExpr:
		return e.Type() == parser.ValueTypeVector
	case *parser.Call:
		return e.Func.Name == "label_replace" || e.Func.Name == "label_join"
	}
	return false
}

func parse(text string) (parser.Expr, error) {
	return parser.NewParser(parser.Options{}).ParseExpr(text)
}
