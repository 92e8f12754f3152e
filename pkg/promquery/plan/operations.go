package plan

import "github.com/prometheus/prometheus/promql/parser"

// The operations that [rewriting] knows. Whatever is not here, and whatever a
// later version of the language adds, is not merged.

// aggregates names the aggregations that make one series of a group, whose labels
// are those of the group.
func aggregates(op parser.ItemType) bool {
	switch op {
	case parser.SUM, parser.AVG, parser.MIN, parser.MAX, parser.COUNT, parser.GROUP,
		parser.STDDEV, parser.STDVAR, parser.QUANTILE:
		return true
	}
	return false
}

// combines names the binary operators.
func combines(op parser.ItemType) bool {
	switch op {
	case parser.ADD, parser.SUB, parser.MUL, parser.DIV, parser.MOD, parser.POW, parser.ATAN2,
		parser.EQLC, parser.NEQ, parser.GTR, parser.LSS, parser.GTE, parser.LTE,
		parser.LAND, parser.LOR, parser.LUNLESS:
		return true
	}
	return false
}

// perSeries names the functions of one vector or range vector, and of scalars,
// that look at one series at a time and keep its labels, but for the metric's
// name, type and unit. Those of histograms look at the buckets of one histogram at
// a time, and drop le.
func perSeries(function string) bool {
	switch function {
	case "rate", "irate", "increase", "delta", "idelta", "deriv", "predict_linear", "changes", "resets",
		"avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time",
		"quantile_over_time", "stddev_over_time", "stdvar_over_time",
		"first_over_time", "last_over_time", "present_over_time",
		"abs", "ceil", "floor", "round", "clamp", "clamp_min", "clamp_max", "sgn",
		"exp", "ln", "log2", "log10", "sqrt", "deg", "rad",
		"sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
		"timestamp", "minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year",
		"histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev", "histogram_stdvar",
		"histogram_fraction", "histogram_quantile":
		return true
	}
	return false
}
