package plan_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
)

// dice makes all choices of a generated case.
type dice struct{ *rand.Rand }

func (d dice) one(of ...string) string  { return of[d.IntN(len(of))] }
func (d dice) percent(chance int) bool  { return d.IntN(100) < chance }
func (d dice) some(of ...string) string { return strings.Join(d.pick(of...), ", ") }
func (d dice) pick(of ...string) []string {
	var picked []string
	for _, s := range of {
		if d.percent(40) {
			picked = append(picked, s)
		}
	}
	return picked
}

// seeded returns the dice of a test.
func seeded(seed uint64) dice { return dice{rand.New(rand.NewPCG(seed, 0))} }

// bytewise returns dice that a fuzzer can turn one by one: a byte is a throw.
func bytewise(data []byte) dice {
	h := fnv.New64a()
	h.Write(data)
	return dice{rand.New(&throws{data: data, rest: rand.NewPCG(h.Sum64(), 0)})}
}

type throws struct {
	data []byte
	rest *rand.PCG
}

func (t *throws) Uint64() uint64 {
	if len(t.data) == 0 {
		return t.rest.Uint64()
	}
	b := t.data[0]
	t.data = t.data[1:]
	return uint64(b) * 0x0101010101010101
}

// jobs are values of the label that tells generated queries apart.
var jobs = []string{
	"a", "b", "ab", "a|b", ".*", "a.b", `"`, `\`, `\d+`, "(?i)a", "A", "[", "grüße", "日本", "\u2028", "a\nb",
	"a\x00", "^a$", "`", "a b", "{}", "1", "𝛑", "zmy", "ſ", "K", "$1", "%", "é", "e\u0301", "\x7f", "\u00ad",
}

const (
	scrape  = 30 * time.Second
	scrapes = 40
)

func start() time.Time { return time.Unix(1_700_000_000, 0).UTC() }
func end() time.Time   { return start().Add((scrapes - 1) * scrape) }

// samples returns random series of the metrics that [dice.query] asks for.
func (d dice) samples() []promembed.Sample {
	var all []promembed.Sample
	known := map[string]bool{}
	for range 12 + d.IntN(50) {
		name := d.one("a", "b", "c_total", "h", "m", "d_bucket")
		b := labels.NewBuilder(labels.FromStrings("__name__", name, "job", jobs[d.IntN(len(jobs))]))
		if d.percent(60) {
			b.Set("job", d.one("a", "b", "a.b"))
		}
		for _, l := range d.pick("i", "n") {
			b.Set(l, d.one("0", "1", "a"))
		}
		if d.percent(5) {
			b.Del("job")
		}
		if name == "d_bucket" || d.percent(3) {
			b.Set("le", d.one("0.5", "1", "5", "+Inf"))
		}
		if known[b.Labels().String()] {
			continue
		}
		known[b.Labels().String()] = true
		all = append(all, d.series(name, b.Labels())...)
	}
	return all
}

func (d dice) series(name string, l labels.Labels) []promembed.Sample {
	var all []promembed.Sample
	v := float64(d.IntN(20)) / 4
	from, to := 0, scrapes
	if d.percent(20) {
		from = d.IntN(scrapes)
	}
	if d.percent(20) {
		to = d.IntN(scrapes)
	}
	for i := from; i < to; i++ {
		s := promembed.Sample{Labels: l, T: start().Add(time.Duration(i) * scrape)}
		v = d.next(name, v)
		s.V = v
		switch {
		case d.percent(4):
			continue // a gap
		case d.percent(3):
			s.V = math.Float64frombits(value.StaleNaN)
		case d.percent(2):
			s.V = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1e308, 0.1}[d.IntN(6)]
		case name == "h" || name == "m" && d.percent(50):
			s.H = d.histogram(v)
		}
		all = append(all, s)
	}
	return all
}

func (d dice) next(name string, v float64) float64 {
	switch {
	case name == "a", name == "b":
		return float64(d.IntN(9)) / 4
	case d.percent(3):
		return 0 // a counter starts again
	}
	return v + float64(d.IntN(7))/4
}

func (d dice) histogram(v float64) *histogram.FloatHistogram {
	h := &histogram.FloatHistogram{
		Count: 3 + v, Sum: v, ZeroThreshold: 0.001, ZeroCount: 1,
		PositiveSpans:   []histogram.Span{{Offset: 0, Length: 2}},
		PositiveBuckets: []float64{2, v},
	}
	switch d.IntN(10) {
	case 0:
		h.CounterResetHint = histogram.GaugeType
	case 1:
		h.Schema = 1
	case 2:
		h.Schema, h.ZeroThreshold, h.ZeroCount = histogram.CustomBucketsSchema, 0, 0
		h.CustomValues, h.Count = []float64{1, 2}, 2+v
	}
	return h
}

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
