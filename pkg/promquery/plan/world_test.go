package plan_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// point is what one query gives at one instant, as its asker sees it.
type point struct {
	series int
	// bits are those of the number, if there is exactly one series.
	bits      uint64
	histogram bool
}

func (p point) String() string {
	switch {
	case p.series != 1:
		return strconv.Itoa(p.series) + " series"
	case p.histogram:
		return "a histogram"
	}
	return fmt.Sprint(math.Float64frombits(p.bits))
}

// answer is what one query gives.
type answer struct {
	points []point
	warned bool
	err    error
}

func (a answer) String() string { return fmt.Sprint(a.points, a.err) }

func (a answer) equal(b answer) bool {
	return (a.err == nil) == (b.err == nil) && slices.Equal(a.points, b.points)
}

// world is a Prometheus with data.
type world struct {
	t       testing.TB
	engine  *promql.Engine
	storage storage.Queryable
	tally   tally
	// The instants asked about. The steps are 0 for instant queries.
	from  time.Time
	steps int
	// known are the answers to queries asked alone.
	known map[string]answer
}

// tally counts what cases were made of.
type tally struct {
	// queries and batches were planned; failed batches were planned again.
	queries, batches, failed int
	// numbers, and other points: missing, several series, histograms, errors.
	numbers, others int
	// again is how many answers the engine gave in another way when asked again.
	again int
}

func (t *tally) add(o tally) {
	t.queries += o.queries
	t.batches += o.batches
	t.failed += o.failed
	t.numbers += o.numbers
	t.others += o.others
	t.again += o.again
}

const step = 75 * time.Second

func newWorld(t testing.TB, samples []promembed.Sample) *world {
	server, err := promembed.Open(promembed.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := server.Append(context.Background(), samples...); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, storage: server}
	w.engine = w.newEngine(false)
	return w
}

// newEngine returns an engine as Prometheus has it, without or with the feature
// that keeps the names of metrics until the end.
func (w *world) newEngine(delayed bool) *promql.Engine {
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		EnableAtModifier:         true, EnableNegativeOffset: true,
		EnableDelayedNameRemoval: delayed,
		Parser:                   parser.NewParser(parser.Options{}),
	})
	w.t.Cleanup(func() {
		if err := engine.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return engine
}

// ask sets the instants of the next queries: one, or some steps after it too.
func (w *world) ask(from time.Time, steps int) {
	w.from, w.steps = from, steps
	w.known = map[string]answer{}
}

// execute sends a query and returns the answers of the members that the label's value
// tells apart; without a label there is one, with an empty key.
func (w *world) execute(text, label string, keys ...string) map[string]*answer {
	answers := map[string]*answer{}
	for _, key := range keys {
		answers[key] = &answer{points: make([]point, w.steps+1)}
	}
	var query promql.Query
	var err error
	if w.steps == 0 {
		query, err = w.engine.NewInstantQuery(context.Background(), w.storage, nil, text, w.from)
	} else {
		query, err = w.engine.NewRangeQuery(context.Background(), w.storage, nil, text, w.from, w.from.Add(time.Duration(w.steps)*step), step)
	}
	if err != nil {
		w.t.Fatalf("%s: %v", text, err)
	}
	defer query.Close()
	result := query.Exec(context.Background())
	warnings, _ := result.Warnings.AsStrings("", 0, 0)
	for _, a := range answers {
		if a.err = result.Err; a.err != nil {
			a.points = nil
		}
		a.warned = len(warnings) > 0
	}
	if result.Err != nil {
		return answers
	}
	put := func(l labels.Labels, at int64, p point) {
		key := ""
		if label != "" {
			key = l.Get(label)
		}
		a := answers[key]
		if a == nil {
			w.t.Fatalf("%s\ngave %s, which is nobody's", text, l)
		}
		i := (at - w.from.UnixMilli()) / step.Milliseconds()
		if a.points[i].series++; a.points[i].series > 1 {
			p = point{}
		}
		p.series = a.points[i].series
		a.points[i] = p
	}
	switch v := result.Value.(type) {
	case promql.Scalar:
		put(labels.EmptyLabels(), v.T, number(v.V))
	case promql.Vector:
		for _, s := range v {
			p := number(s.F)
			if s.H != nil {
				p = point{histogram: true}
			}
			put(s.Metric, s.T, p)
		}
	case promql.Matrix:
		for _, s := range v {
			for _, f := range s.Floats {
				put(s.Metric, f.T, number(f.F))
			}
			for _, h := range s.Histograms {
				put(s.Metric, h.T, point{histogram: true})
			}
		}
	default:
		w.t.Fatalf("%s gave a %T", text, v)
	}
	return answers
}

// number is a point with one value. All NaNs are written alike in an answer.
func number(f float64) point {
	if math.IsNaN(f) {
		f = math.NaN()
	}
	return point{bits: math.Float64bits(f)}
}
