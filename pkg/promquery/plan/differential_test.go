package plan_test

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
)

// alone asks a query by itself, once.
func (w *world) alone(q *plan.Query) answer {
	a, ok := w.known[q.Text()]
	if !ok {
		a = *w.execute(q.Text(), "", "")[""]
		w.known[q.Text()] = a
	}
	return a
}

// planned asks the queries as planned, and a batch that fails in two halves.
func (w *world) planned(queries []*plan.Query, limits plan.Limits) []answer {
	answers := make([]answer, len(queries))
	for _, b := range plan.Make(queries, limits) {
		var keys []string
		for _, m := range b.Members {
			keys = append(keys, m.Key)
		}
		got := w.execute(b.Text, b.Label, keys...)
		if b.Label != "" && got[keys[0]].err != nil {
			w.tally.failed++
			half := len(b.Members) / 2
			for _, members := range [][]plan.Member{b.Members[:half], b.Members[half:]} {
				var fewer []*plan.Query
				for _, m := range members {
					fewer = append(fewer, queries[m.Query])
				}
				for i, a := range w.planned(fewer, limits) {
					answers[members[i].Query] = a
				}
			}
			continue
		}
		for _, m := range b.Members {
			answers[m.Query] = *got[m.Key]
		}
		if got[keys[0]].err == nil {
			w.compareWarnings(b, queries, got[keys[0]].warned)
		}
	}
	return answers
}

// compareWarnings: a batch warns if and only if one of its members does alone.
func (w *world) compareWarnings(b plan.Batch, queries []*plan.Query, warned bool) {
	want := false
	for _, m := range b.Members {
		a := w.alone(queries[m.Query])
		want = want || a.warned && a.err == nil
	}
	if warned != want {
		w.t.Errorf("warnings of\n%s\n%t, of its members alone %t", b.Text, warned, want)
	}
}

// compare asks the queries one by one and as planned.
func (w *world) compare(queries []*plan.Query, limits plan.Limits) {
	w.t.Helper()
	w.tally.queries += len(queries)
	w.tally.batches += len(plan.Make(queries, limits))
	got := w.planned(queries, limits)
	for i, q := range queries {
		want := w.alone(q)
		for _, p := range want.points {
			if p.series == 1 && !p.histogram {
				w.tally.numbers++
			} else {
				w.tally.others++
			}
		}
		if got[i].equal(want) {
			continue
		}
		if w.undecided(queries, limits, i) {
			w.tally.again++
			continue
		}
		w.t.Errorf("query %d: %s\nalone:   %v\nplanned: %v", i, q.Text(), want, got[i])
		for _, b := range plan.Make(queries, limits) {
			if slices.ContainsFunc(b.Members, func(m plan.Member) bool { return m.Query == i }) {
				w.t.Logf("planned as %s: %s", b.Label, b.Text)
			}
		}
	}
}

// undecided tells whether the engine gives a query alone several answers, the
// planned one among them: it adds the series of an inner result in random order.
func (w *world) undecided(queries []*plan.Query, limits plan.Limits, i int) bool {
	var alone, planned []answer
	for range 50 {
		alone = append(alone, *w.execute(queries[i].Text(), "", "")[""])
		planned = append(planned, w.planned(queries, limits)[i])
		for _, a := range alone {
			if slices.ContainsFunc(planned, a.equal) {
				return true
			}
		}
	}
	return false
}

// rounds is how many sets of queries are asked of the same data.
const rounds = 6

// run plays one generated case.
func run(t testing.TB, d dice) tally {
	w := newWorld(t, d.samples())
	if d.percent(20) {
		w.engine = w.newEngine(true)
	}
	for range rounds {
		w.turn(d)
		var queries []*plan.Query
		for _, text := range d.queries() {
			q, err := plan.Prepare(text)
			if err != nil {
				continue // what the generator makes is not always PromQL
			}
			queries = append(queries, q)
		}
		limits := plan.DefaultLimits()
		if d.percent(30) {
			limits = plan.Limits{Merge: d.IntN(6), Union: d.IntN(6), Bytes: d.IntN(1000)}
		}
		w.compare(queries, limits)
	}
	return w.tally
}

// turn chooses the instants of the next queries.
func (w *world) turn(d dice) {
	if d.percent(50) {
		steps := 1 + d.IntN(8)
		w.ask(end().Add(-time.Duration(steps)*step), steps)
	} else {
		w.ask(end().Add(-time.Duration(d.IntN(600))*time.Second), 0)
	}
}

// PLAN_SEEDS sets the number of cases.
func TestPlannedAnswersEqualThoseOneByOne(t *testing.T) {
	seeds, err := strconv.ParseUint(cmp.Or(os.Getenv("PLAN_SEEDS"), "10"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	var all tally
	for seed := range seeds {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { all.add(run(t, seeded(seed))) })
	}
	t.Logf("%+v", all)
	if all.batches*2 > all.queries || all.numbers < all.others/2 {
		t.Errorf("the cases say little: %+v", all)
	}
}

func FuzzPlannedAnswers(f *testing.F) {
	for seed := range uint64(3) {
		data := make([]byte, 64)
		d := seeded(seed)
		for i := range data {
			data[i] = byte(d.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { run(t, bytewise(data)) })
}
