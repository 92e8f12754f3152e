package promquery_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
)

// propertyQueries are evaluated on random series: some give one value, some
// several, some none, some what is no number.
func propertyQueries() []string {
	return []string{
		"zmy",
		`zmy{i="0"}`,
		"avg(zmy)",
		"avg(avg_over_time(zmy[2m]))",
		"1 - sum(rate(zmy[1m])) / count(zmy)",
		"max_over_time(avg(zmy)[2m:7s])",
		"zmy > 0.5",
		"topk(1, zmy)",
		"scalar(zmy)",
		"absent(zmy)",
		"sum(zmy offset 30s) / 0",
		"stddev(zmy) or vector(time())",
		`quantile_over_time(0.3, zmy{i="1"}[90s])`,
		"histogram_quantile(0.9, zmy)",
		"timestamp(zmy) - time()",
	}
}

// randomSeries makes samples with gaps, ends, NaN, infinities and histograms.
func randomSeries(random *rand.Rand, start time.Time, length time.Duration) [][]promembed.Sample {
	var all [][]promembed.Sample
	for i := range random.IntN(4) {
		lset := labels.FromStrings("__name__", "zmy", "i", strconv.Itoa(i))
		scrape := time.Duration(5+random.IntN(20)) * time.Second
		var list []promembed.Sample
		there := random.IntN(2) == 0
		for d := time.Duration(random.IntN(5000)) * time.Millisecond; d < length; d += scrape {
			if random.IntN(12) == 0 {
				there = !there
				if !there && random.IntN(2) == 0 {
					list = append(list, promembed.Sample{Labels: lset, T: start.Add(d), V: math.Float64frombits(value.StaleNaN)})
				}
				continue
			}
			if there {
				list = append(list, randomSample(random, lset, start.Add(d)))
			}
		}
		all = append(all, list)
	}
	return all
}

func randomSample(random *rand.Rand, lset labels.Labels, at time.Time) promembed.Sample {
	s := promembed.Sample{Labels: lset, T: at, V: random.Float64()}
	switch random.IntN(40) {
	case 0:
		s.V = math.NaN()
	case 1:
		s.V = math.Inf(1 - 2*random.IntN(2))
	case 2:
		s.V = -1e-7
	case 3:
		s.H = &histogram.FloatHistogram{
			Schema: 0, Count: 4, Sum: 5,
			PositiveSpans: []histogram.Span{{Length: 2}}, PositiveBuckets: []float64{3, 1},
		}
	}
	return s
}

// feed appends the samples up to and including at, and returns the rest.
func feed(s *promquerytest.Server, all [][]promembed.Sample, at time.Time) [][]promembed.Sample {
	var rest [][]promembed.Sample
	for _, list := range all {
		i := 0
		for i < len(list) && !list[i].T.After(at) {
			i++
		}
		s.Append(list[:i]...)
		rest = append(rest, list[i:])
	}
	return rest
}

// TestRangeEqualsInstants proves, on the real engine, that a range query says at
// each step what an instant query says there, in the states too.
func TestRangeEqualsInstants(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 2))
		server := promquerytest.New(t, "")
		feed(server, randomSeries(random, start, 10*time.Minute), start.Add(time.Hour))
		src := newSource(t, server.URL)
		step := []time.Duration{time.Second, 15 * time.Second, 2500 * time.Millisecond, 7001 * time.Millisecond}[random.IntN(4)]
		from := start.Add(time.Duration(random.IntN(300_000)) * time.Millisecond)
		to := from.Add(25 * step)
		for _, query := range append(propertyQueries(), "zmy @ 1700000060") {
			whole, err := src.Range(soon(t), query, from, to, step)
			if err != nil {
				t.Fatal(err)
			}
			for i := range whole.Points {
				one, err := src.Instant(soon(t), query, from.Add(time.Duration(i)*step))
				if err != nil {
					t.Fatal(err)
				}
				for _, domain := range []zmy.Domain{zmy.Ratio, zmy.Amount} {
					got, want := whole.Sample(i, domain), one.Sample(0, domain)
					got.Partial, want.Partial = false, false // a warning covers all steps of a range
					if got != want {
						t.Errorf("seed %d, %s, step %d: the range says %+v, the instant %+v", seed, query, i, got, want)
					}
				}
			}
		}
	}
}

// TestLiveEqualsBackfilled proves, on the real engine, that a window grown tick
// by tick, through failures and warnings, equals one filled after a restart.
func TestLiveEqualsBackfilled(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 3))
			queries := propertyQueries()
			live := liveTest{
				t: t, random: random, server: promquerytest.New(t, ""),
				query: queries[random.IntN(len(queries))],
				n:     1 + random.IntN(30),
			}
			interval := []time.Duration{15 * time.Second, 5 * time.Second, 7001 * time.Millisecond}[random.IntN(3)]
			var err error
			if live.grid, err = zmy.NewGrid(interval); err != nil {
				t.Fatal(err)
			}
			live.source = newSource(t, live.server.URL)
			live.tracker = promquery.NewTracker(live.query, zmy.Ratio, live.n)
			rest := randomSeries(random, start, 10*time.Minute)
			for at := live.grid.At(start); at < live.grid.At(start)+40; at += zmy.Tick(1 + random.IntN(20)/19) {
				rest = feed(live.server, rest, live.grid.Time(at))
				live.round(at)
			}
		})
	}
}

type liveTest struct {
	t       *testing.T
	random  *rand.Rand
	server  *promquerytest.Server
	source  *promquery.Source
	grid    zmy.Grid
	query   string
	n       int
	tracker *promquery.Tracker
}

func (l *liveTest) round(at zmy.Tick) {
	l.t.Helper()
	warned := l.random.IntN(5) == 0
	if warned {
		l.server.Warn("a shard is down")
	}
	failed := l.random.IntN(6) == 0
	if failed {
		l.server.Fail(http.StatusServiceUnavailable)
	}
	err := l.tracker.Update(soon(l.t), l.source, l.grid, at)
	if (err != nil) != failed {
		l.t.Fatalf("tick %d: error %v", at, err)
	}
	l.server.Up()
	if !failed {
		restarted := promquery.NewTracker(l.query, zmy.Ratio, l.n)
		if err := restarted.Update(soon(l.t), l.source, l.grid, at); err != nil {
			l.t.Fatal(err)
		}
		l.compare(at, warned, restarted)
	}
	l.server.Warn("")
}

func (l *liveTest) compare(at zmy.Tick, warned bool, restarted *promquery.Tracker) {
	l.t.Helper()
	got, want := window(l.tracker.Series(), at, l.n), window(restarted.Series(), at, l.n)
	if !want[l.n-1].Partial && got[l.n-1].Partial {
		l.t.Errorf("%s: the newest tick is partial for no reason", l.query)
	}
	// While warnings last, the newest tick must show it, and that is enough.
	if engineWarns := want[l.n-1].Partial && !warned; warned || engineWarns {
		if warned && !got[l.n-1].Partial {
			l.t.Errorf("%s: the newest tick hides the warning", l.query)
		}
		for i := range got {
			got[i].Partial, want[i].Partial = false, false
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		l.t.Fatalf("%s, window of %d at %d (-restarted +live):\n%s", l.query, l.n, at, diff)
	}
}

// TestOneRequestPerInterval counts what reaches the server.
func TestOneRequestPerInterval(t *testing.T) {
	server := promquerytest.New(t, "load 15s\n zmy 0.5x200")
	src := newSource(t, server.URL)
	tracker := promquery.NewTracker("zmy", zmy.Ratio, 20)
	grid := grid15(t)
	for at := zmy.Tick(50); at < 90; at++ {
		for range 3 { // asking again within an interval costs nothing
			if err := tracker.Update(soon(t), src, grid, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	all := server.Requests()
	if len(all) != 40 {
		t.Fatalf("%d requests in 40 intervals", len(all))
	}
	if first := all[0]; first.Instant() || !first.Start.Equal(grid.Time(31)) || !first.End.Equal(grid.Time(50)) || first.Step != 15*time.Second {
		t.Errorf("the first request is %+v", first)
	}
	for i, r := range all[1:] {
		if !r.Instant() || !r.Start.Equal(grid.Time(zmy.Tick(51+i))) {
			t.Errorf("request %d is %+v", i+1, r)
		}
	}
}
