package plan

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// When several queries may be asked as one
//
// Let q(a) be a query all of whose selectors say L="a", leaving scalar parts
// aside, and let q* be its rewriting for the values V: the selectors say
// L=~"a|b|..." and every aggregation and every match carries L along, as below.
// Queries are put together when they have q* in common, so everything that is not
// rewritten is the same text in all of them.
//
// An expression e keeps L apart if at every instant and for every a in V
//
//	(1) every series of e* has for L one of the values V,
//	(2) the series of e* that have L="a" are, in their order, those of e(a), when
//	    nobody looks at L, and
//	(3) either all series of every e(a) have L="a", or none of them has L.
//
// (3) is what [standing] tells, and what makes (2) hold for binary operations:
// there, somebody does look at L. By induction over e:
//
//   - A selector with one matcher for L, that for L="a". The storage gives series
//     in an order that does not depend on the matchers, and the values V cannot
//     be confused: all are quoted, not empty, and valid UTF-8.
//   - Functions that make each series into at most one, of the same labels but
//     for the name, the type and the unit of the metric, or le: see [perSeries].
//     L is none of these. Series that become the same are an error, or one if they
//     never meet, and had the same L. Parameters are scalars, hence the same for
//     all a. Subqueries evaluate their expression at other instants.
//   - label_replace that does not write L. If it reads L, the series of e(a) must
//     have it.
//   - Aggregations of a whole group: with L added to "by", or taken out of
//     "without", a group of e* is a group of one e(a), with the same series in
//     the same order. A group that is empty does not exist in either. Those that
//     choose series, or make labels of values, are left out.
//   - A vector with a scalar: series by series.
//   - Two vectors, matched with L as one more label: a series of e* meets only
//     series of the same L, and of these those that it meets in e(a). If in e(a)
//     L counts for the match, then either both sides have it there, or neither:
//     with L on one side only, nothing matches in e(a) and something may in e*.
//     The engine refuses ambiguous matches per group of matched series, except
//     that it refuses nothing while one side is empty: e* may fail where e(a)
//     does not, never the other way round. group_left and group_right must not
//     copy L, and fill values are left out, as they make series out of nothing.
//   - "or" gives series of both sides, so (3) asks for the same on both.
//
// Everything else is not known to keep L apart. In particular what makes a series
// out of missing ones, absent() and "or vector(0)", cannot: it has no L.
//
// What the engine itself leaves open stays open: in a range query it goes through
// the series of an inner result in random order, and sums them in that order.

// standing tells whether an expression keeps a label apart.
type standing int

const (
	// mixed: it does not, or is not known to.
	mixed standing = iota
	// without: it does, and asked alone its series do not have the label.
	without
	// with: it does, and asked alone its series have the label.
	with
)

// rewriting makes q* of q(a), in place.
type rewriting struct {
	label, value string
	// selectors counts those that were rewritten.
	selectors int
}

// mark stands for the pattern of the values until these are known.
const mark = "\x00"

func (r *rewriting) expr(e parser.Expr) standing {
	switch e := e.(type) {
	case *parser.VectorSelector:
		return r.selector(e)
	case *parser.MatrixSelector:
		return r.expr(e.VectorSelector)
	case *parser.SubqueryExpr:
		return r.expr(e.Expr)
	case *parser.ParenExpr:
		return r.expr(e.Expr)
	case *parser.UnaryExpr:
		return r.expr(e.Expr)
	case *parser.AggregateExpr:
		return r.aggregation(e)
	case *parser.BinaryExpr:
		return r.binary(e)
	case *parser.Call:
		return r.call(e)
	}
	return mixed
}

func (r *rewriting) selector(s *parser.VectorSelector) standing {
	at := -1
	for i, m := range s.LabelMatchers {
		if m.Name != r.label {
			continue
		}
		if at >= 0 || m.Type != labels.MatchEqual || m.Value != r.value {
			return mixed
		}
		at = i
	}
	if at < 0 {
		return mixed
	}
	s.LabelMatchers[at] = &labels.Matcher{Type: labels.MatchRegexp, Name: r.label, Value: mark}
	r.selectors++
	return with
}

func (r *rewriting) aggregation(e *parser.AggregateExpr) standing {
	if !aggregates(e.Op) {
		return mixed
	}
	inner := r.expr(e.Expr)
	if inner == mixed {
		return mixed
	}
	named := slices.Contains(e.Grouping, r.label)
	e.Grouping = r.listed(e.Grouping, !e.Without)
	if named == e.Without {
		return without
	}
	return inner
}

// listed returns the labels with ours among them, or not.
func (r *rewriting) listed(names []string, among bool) []string {
	others := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == r.label })
	if among {
		return append(others, r.label)
	}
	return others
}

func (r *rewriting) binary(e *parser.BinaryExpr) standing {
	if !combines(e.Op) {
		return mixed
	}
	if e.LHS.Type() == parser.ValueTypeScalar {
		return r.expr(e.RHS) // mixed if that is a scalar too
	}
	if e.RHS.Type() == parser.ValueTypeScalar {
		return r.expr(e.LHS)
	}
	left, right := r.expr(e.LHS), r.expr(e.RHS)
	if left == mixed || right == mixed {
		return mixed
	}
	return r.match(e, left, right)
}

func (r *rewriting) match(e *parser.BinaryExpr, left, right standing) standing {
	m := e.VectorMatching
	if m.FillValues.LHS != nil || m.FillValues.RHS != nil || slices.Contains(m.Include, r.label) {
		return mixed
	}
	// Whether the label counts for the match in the query alone.
	counts := m.On == slices.Contains(m.MatchingLabels, r.label)
	if left != right && (counts || e.Op == parser.LOR) {
		return mixed
	}
	m.MatchingLabels = r.listed(m.MatchingLabels, m.On)
	switch {
	case e.Op.IsSetOperator() || m.Card == parser.CardManyToOne:
		return left
	case m.Card == parser.CardOneToMany:
		return right
	case counts:
		return left
	}
	return without // one to one: the result has the labels that count
}

func (r *rewriting) call(e *parser.Call) standing {
	if e.Func.Name == "label_replace" {
		return r.labelReplace(e)
	}
	if !perSeries(e.Func.Name) {
		return mixed
	}
	found := mixed
	for _, arg := range e.Args {
		if arg.Type() == parser.ValueTypeScalar {
			continue
		}
		if found = r.expr(arg); found == mixed {
			return mixed
		}
	}
	return found // mixed if it was called without a vector, as hour() may be
}

func (r *rewriting) labelReplace(e *parser.Call) standing {
	target, ok1 := e.Args[1].(*parser.StringLiteral)
	source, ok2 := e.Args[3].(*parser.StringLiteral)
	if !ok1 || !ok2 || target.Val == r.label {
		return mixed
	}
	inner := r.expr(e.Args[0])
	if source.Val == r.label && inner != with {
		return mixed
	}
	return inner
}
