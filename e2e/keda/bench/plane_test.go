package bench

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/prometheus"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
)

var (
	writeReport = flag.Bool("write", false, "write "+document)
	longOutage  = flag.Bool("long", false, "keep the source dead for 10 minutes")
	interval    = flag.Duration("interval", 4*time.Second, "of the parts with 1,000 triggers; a slow machine needs a longer one")
	profiles    = flag.String("profiles", "", "write profiles of the scaler to this directory")
)

const (
	// intervals is how many are measured at a time.
	intervals = 4
	// patience is how many intervals triggers may take until all of them are there.
	patience = 4
	// concurrency is the source's maxConcurrency, its default.
	concurrency = 8
)

// quick is the rhythm of the parts that fit into a shorter interval.
func quick() rhythm { return rhythm{interval: *interval, offset: time.Second} }

// usual is the rhythm that the scaler has by default.
func usual() rhythm { return rhythm{interval: 15 * time.Second, offset: 5 * time.Second} }

// TestPlane measures everything, in an order that lets parts share what is slow to
// set up.
func TestPlane(t *testing.T) {
	r := &report{}
	busy, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Skip("needs Linux")
	}
	rig.Say(t, "      the load of the machine before the start: %s", busy[:4])
	binary := prometheus.Build(t.Context(), t)
	empty := startEmpty(t)
	t.Run("1000", func(t *testing.T) {
		b := newBed(t, binary, fleets{n: 1000, pods: 5, busy: true})
		t.Run("of one shape", func(t *testing.T) { oneShape(t, r, b, empty) })
		t.Run("of 1000 shapes", func(t *testing.T) { manyShapes(t, r, b) })
		t.Run("with poison", func(t *testing.T) { poison(t, r, b) })
	})
	var at10k load
	t.Run("10000", func(t *testing.T) {
		b := newBed(t, binary, fleets{n: 10_000, pods: 2})
		at10k = many(t, r, b, empty)
	})
	t.Run("100000", func(t *testing.T) {
		b := newBed(t, binary, fleets{n: 100_000, pods: 1})
		most(t, r, b, at10k)
	})
	if *writeReport {
		r.write(t)
	}
	if n := r.missed(); n > 0 {
		t.Errorf("%d of %d goals are missed", n, len(r.goals))
	}
}

// times says how many times as much one is as the other.
func times(a, b float64) string { return fmt.Sprintf("%.2g x", a/b) }

// both returns the two queries of each of n triggers, as two triggers of KEDA's.
func both(n int, of func(int) queries) []string {
	var all []string
	for i := range n {
		q := of(i)
		all = append(all, q.yield, q.workers)
	}
	return all
}

// oneShape: triggers that differ in a label's value only.
func oneShape(t *testing.T, r *report, b *bed, empty floor) {
	ctx := t.Context()
	theirs, polled := b.measureKEDA(ctx, t, quick(), intervals, both(b.n, alike))
	s := b.startScaler(t, quick(), refs(b.n, alike))
	s.enter(ctx)
	s.settle(ctx, t, patience)
	ours, _ := s.inTurns(ctx, t, empty, intervals)
	var calls int
	flood := b.measure(ctx, t, quick(), intervals, s.Process, func(ctx context.Context) { calls = s.askFast(ctx) })

	const what = "1,000 triggers of one shape, 2 queries each: "
	r.atMost(t, what+"requests in an interval", float64(ours.most()), 20, "%.0f")
	r.check(t, flood.most() == ours.most() && calls > 10*len(s.refs), what+"requests in an interval while KEDA calls as fast as it can", fmt.Sprint(ours.most()), fmt.Sprint(flood.most()))
	r.none(t, what+"calls that fail", ours.failed)
	r.none(t, what+"triggers with a late or wrong yield", s.late(ctx, t))
	r.none(t, "1,000 triggers polled by KEDA's own scaler: polls that fail", polled.Failed)
	r.atMost(t, what+"CPU of Prometheus, over what KEDA's scaler costs it with the same queries", ours.prometheus/theirs.prometheus, 0.2, "%.2g")
	r.beside(t, "requests in an interval, 1,000 triggers", fmt.Sprintf("%.0f", theirs.mean()), fmt.Sprintf("%.0f", ours.mean()))
	r.beside(t, "CPU of Prometheus, 1,000 triggers", times(theirs.prometheus, ours.prometheus), "1")
	r.beside(t, "CPU of its own, 1,000 triggers", times(theirs.own, ours.own), "1")
	r.beside(t, "p50 of an answer, 1,000 triggers", times(polled.P50.Seconds(), median(ours.p50)), "1")
	r.beside(t, "p99 of an answer, 1,000 triggers", times(polled.P99.Seconds(), median(ours.p99)), "1")
}

// manyShapes: triggers of which no two are alike.
func manyShapes(t *testing.T, r *report, b *bed) {
	ctx := t.Context()
	s := b.startScaler(t, quick(), refs(b.n, various))
	s.enter(ctx)
	s.settle(ctx, t, patience)
	ours := b.measure(ctx, t, quick(), intervals, s.Process, nil)
	const what = "1,000 triggers of 1,000 shapes, 2 queries each: "
	r.atMost(t, what+"requests in an interval", float64(ours.most()), 40, "%.0f")
	r.none(t, what+"triggers with a late or wrong yield", s.late(ctx, t))
}

// poison: one query that goes wrong, beside 1,000 others.
func poison(t *testing.T, r *report, b *bed) {
	ctx := t.Context()
	w := writer{url: b.prom.URL() + "/api/v1/write"}
	for i := range 100_000 {
		w.add(t, 1, "__name__", "wide", "n", fmt.Sprint(i))
	}
	w.flush(t)
	for _, p := range []struct{ name, yield string }{
		{name: "the server cannot parse", yield: "avg(avg_over_time(" + poisonParse + "[7m]))"},
		{name: "the server never answers", yield: fmt.Sprintf("avg(avg_over_time(zmy{job=%q}[5m]))", poisonSlow)},
		{name: "gives 100,000 series", yield: "last_over_time(wide[5m])"},
	} {
		t.Run(p.name, func(t *testing.T) {
			s := b.startScaler(t, quick(), refs(b.n, func(i int) queries {
				if i%2 == 0 {
					return alike(i)
				}
				return various(i)
			}))
			s.enter(ctx)
			s.settle(ctx, t, patience)
			// The call waits for the first evaluation; the others must not.
			calling, stop := context.WithTimeout(ctx, s.interval)
			defer stop()
			q := queries{yield: p.yield, workers: "vector(1)"}
			_ = metrics(calling, s.client, ref("poison", q))
			s.ends(ctx, t)
			worst := 0
			for range 3 {
				s.ends(ctx, t)
				worst = max(worst, s.late(ctx, t))
			}
			r.none(t, "1,000 triggers beside one whose query "+p.name+": late in the next three intervals", worst)
		})
	}
}
