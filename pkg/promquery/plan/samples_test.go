package plan_test

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
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
