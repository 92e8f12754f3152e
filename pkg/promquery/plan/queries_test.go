package plan_test

import (
	"fmt"
	"strconv"
	"strings"
)

// query returns a random query. $JOB stands for a matcher, of the job in most.
func (d dice) query() string {
	switch d.IntN(12) {
	case 0:
		return d.scalar(2)
	case 1, 2:
		return d.vector(3)
	case 3:
		return "sum(" + d.vector(1) + ")" + d.one(" or vector(0)", " / 2", " # a comment", " > 1")
	case 4:
		return d.one("avg", "sum", "max") + "(avg_over_time(a{$JOB}[5m]))"
	case 5:
		return "sum(rate(c_total{$JOB}[5m])) / " + d.one("sum", "count", "min") + "(" + d.one("a", "b", "c_total") + "{$JOB})"
	}
	return d.one("sum", "avg", "min", "max", "count", "stddev", "quantile by (n) (0.5, "+d.vector(2)+") or sum", "group", "-sum", "1 - avg") +
		"(" + d.vector(2) + ")"
}

func (d dice) selector() string {
	name := d.one("a", "a", "a", "b", "c_total", "h", "m", `{__name__=~"a|b"}`, `{__name__=~".+"}`)
	matchers := []string{"$JOB"}
	switch d.IntN(40) {
	case 0:
		matchers = nil
	case 1:
		matchers = append(matchers, `job!="b"`)
	case 2:
		matchers = []string{`job=~"a|b"`}
	case 3:
		matchers = []string{`job="a.b"`}
	}
	for _, m := range d.pick(`i="0"`, `n!="1"`, `i=~"0|1|"`) {
		if d.percent(30) {
			matchers = append(matchers, m)
		}
	}
	d.Shuffle(len(matchers), func(i, j int) { matchers[i], matchers[j] = matchers[j], matchers[i] })
	if rest, ok := strings.CutSuffix(name, "}"); ok {
		return strings.Join(append([]string{rest}, matchers...), ", ") + "}"
	}
	return name + "{" + strings.Join(matchers, ",") + "}"
}

func (d dice) modifier() string {
	switch d.IntN(12) {
	case 0:
		return " offset " + d.one("1m", "90s", "1h", "-1m")
	case 1:
		return " @ " + strconv.FormatInt(start().Unix()+int64(d.IntN(1500)), 10) + d.one("", ".25", " offset 1m")
	case 2:
		return " @ " + d.one("start()", "end()")
	}
	return ""
}

func (d dice) matrix(depth int) string {
	if depth > 0 && d.percent(25) {
		return "(" + d.vector(depth-1) + ")[" + d.one("2m", "5m", "10m") + ":" + d.one("", "30s", "1m") + "]" + d.modifier()
	}
	return d.selector() + "[" + d.one("1m", "5m", "5m", "10m") + "]" + d.modifier()
}

func (d dice) scalar(depth int) string {
	if depth > 0 {
		switch d.IntN(6) {
		case 0:
			return "scalar(" + d.vector(depth-1) + ")"
		case 1:
			return d.scalar(depth-1) + d.one(" + ", " * ", " / ", " > bool ", " ^ ", " % ") + d.scalar(depth-1)
		case 2:
			return "(" + d.scalar(depth-1) + ")"
		case 3:
			return "-" + d.scalar(depth-1)
		}
	}
	return d.one("1", "2.5", "0", "0x1F", "1e3", "Inf", "NaN", "-1", "5m", "time()", "pi()", "0.1", "+Inf")
}

func (d dice) vector(depth int) string {
	if depth <= 0 {
		return d.selector() + d.modifier()
	}
	switch d.IntN(14) {
	case 0, 1:
		return d.function(depth)
	case 2, 3:
		return d.overTime(depth)
	case 4, 5, 6:
		return d.aggregation(depth)
	case 7:
		return d.vector(depth-1) + d.operator() + d.scalar(1)
	case 8:
		return d.scalar(1) + d.operator() + d.vector(depth-1)
	case 9, 10:
		return d.match(depth)
	case 11:
		return d.one("(", "-(", "(", "+(") + d.vector(depth-1) + ")"
	case 12:
		return d.odd(depth)
	}
	return d.vector(depth - 1)
}

func (d dice) function(depth int) string {
	arg := d.vector(depth - 1)
	switch d.IntN(8) {
	case 0:
		return "round(" + arg + ", " + d.one("0.5", "2", d.scalar(1)) + ")"
	case 1:
		return "clamp(" + arg + ", " + d.scalar(0) + ", " + d.scalar(0) + ")"
	case 2:
		return "histogram_quantile(" + d.one("0.5", "0.9", "2", d.scalar(1)) + ", " +
			d.one("rate(d_bucket{$JOB}[5m])", "sum by (le) (d_bucket{$JOB})", "sum by (le, job) (rate(d_bucket{$JOB}[5m]))", arg) + ")"
	case 3:
		return "histogram_fraction(0, 1, " + d.one("h{$JOB}", "d_bucket{$JOB}", arg) + ")"
	case 4:
		return d.one("histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev", "histogram_stdvar") +
			"(" + d.one("h{$JOB}", "sum(h{$JOB})", "rate(m{$JOB}[5m])", arg) + ")"
	}
	return d.one("abs", "ceil", "floor", "sgn", "exp", "ln", "sqrt", "deg", "cos", "timestamp", "hour", "minute", "day_of_year", "year") + "(" + arg + ")"
}

func (d dice) overTime(depth int) string {
	arg := d.matrix(depth)
	switch d.IntN(6) {
	case 0:
		return "quantile_over_time(" + d.one("0.5", "0.9", d.scalar(1)) + ", " + arg + ")"
	case 1:
		return "predict_linear(" + arg + ", " + d.scalar(0) + ")"
	}
	return d.one("rate", "irate", "increase", "delta", "idelta", "deriv", "changes", "resets", "avg_over_time", "min_over_time",
		"max_over_time", "sum_over_time", "count_over_time", "stddev_over_time", "stdvar_over_time", "first_over_time",
		"last_over_time", "present_over_time") + "(" + arg + ")"
}

func (d dice) aggregation(depth int) string {
	group := d.one("", "", " by ("+d.some("job", "i", "n", "le")+")", " without ("+d.some("job", "i", "n", "__name__")+")")
	arg := d.vector(depth - 1)
	switch d.IntN(12) {
	case 0:
		return d.one("topk", "bottomk") + group + "(" + d.one("1", "2") + ", " + arg + ")"
	case 1:
		return `count_values` + group + `("v", ` + arg + ")"
	case 2:
		return "quantile" + group + "(" + d.one("0.5", "0.9", "-1", d.scalar(1)) + ", " + arg + ")"
	}
	return d.one("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar") + group + "(" + arg + ")"
}

func (d dice) operator() string {
	op := d.one("+", "-", "*", "/", "%", "^", "atan2", "==", "!=", ">", "<", ">=", "<=")
	if strings.ContainsAny(op, "=<>") && d.percent(40) {
		op += " bool"
	}
	return " " + op + " "
}

func (d dice) match(depth int) string {
	left, right := d.vector(depth-1), d.vector(depth-1)
	on := d.one("", "", " on ("+d.some("job", "i", "n")+") ", " ignoring ("+d.some("job", "i", "n")+") ")
	if d.percent(40) {
		return left + " " + d.one("and", "or", "unless") + on + " " + right
	}
	if on != "" && d.percent(50) {
		on += d.one("group_left", "group_right") + " (" + d.one("", "", "x", "n", "job") + ") "
	}
	return left + d.operator() + on + right
}

// odd returns what keeps no label apart, or seldom.
func (d dice) odd(depth int) string {
	arg := d.vector(depth - 1)
	switch d.IntN(6) {
	case 0:
		return "label_replace(" + arg + `, "` + d.one("x", "i", "job", "__name__") + `", "` + d.one("$1", "k", "") +
			`", "` + d.one("job", "i", "n", "") + `", "(.*)")`
	case 1:
		return "label_join(" + arg + `, "x", "-", "job", "i")`
	case 2:
		return d.one("absent", "sort", "sort_desc") + "(" + arg + ")"
	case 3:
		return "absent_over_time(" + d.matrix(depth) + ")"
	case 4:
		return "vector(" + d.scalar(1) + ")"
	}
	return "(" + arg + " or " + d.one("vector(0)", "a", `b{job="a"}`) + ")"
}

// queries returns the queries of random triggers: some shapes, each asked for
// several jobs, some of them more than once.
func (d dice) queries() []string {
	var texts []string
	for range 1 + d.IntN(5) {
		shape, label := d.query(), d.one("job", "job", "job", "job", "job", "job", "i", "le")
		for range 1 + d.IntN(6) {
			v := d.one("a", "b", "a.b", jobs[d.IntN(len(jobs))])
			if label != "job" {
				v = d.one("0", "1", "5")
			}
			texts = append(texts, strings.ReplaceAll(shape, "$JOB", fmt.Sprintf("%s=%q", label, v)))
		}
	}
	d.Shuffle(len(texts), func(i, j int) { texts[i], texts[j] = texts[j], texts[i] })
	return texts
}
