package promquery_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

var errFake = errors.New("the fake fails")

// fate is how a fake source answers one request.
type fate int

const (
	fine fate = iota
	fails
	warns // with half the value, as if half the data were missing
)

// fake is a source of one query whose truth at tick k is |k|/1000, and nothing at
// every seventh tick.
type fake struct {
	promquery.Querier // nobody splits

	t     *testing.T
	grid  zmy.Grid
	next  func() fate
	asked []string
}

func (f *fake) Instant(_ context.Context, query string, at time.Time) (promquery.Answer, error) {
	k := f.tick(at)
	return f.answer(query, fmt.Sprintf("instant %d", k), k, k)
}

func (f *fake) Range(_ context.Context, query string, from, to time.Time, step time.Duration) (promquery.Answer, error) {
	if step != f.grid.Interval() {
		f.t.Errorf("step %v", step)
	}
	return f.answer(query, fmt.Sprintf("range %d-%d", f.tick(from), f.tick(to)), f.tick(from), f.tick(to))
}

func (f *fake) tick(at time.Time) zmy.Tick {
	k := f.grid.At(at)
	if !f.grid.Time(k).Equal(at) {
		f.t.Errorf("%v is not on the grid", at)
	}
	return k
}

func (f *fake) answer(query, what string, from, to zmy.Tick) (promquery.Answer, error) {
	if query != "zmy" {
		f.t.Errorf("query %q", query)
	}
	fate := fine
	if f.next != nil {
		fate = f.next()
	}
	f.asked = append(f.asked, what)
	if fate == fails {
		return promquery.Answer{}, errFake
	}
	var a promquery.Answer
	for k := from; k <= to; k++ {
		p := truth(k)
		if fate == warns {
			p.Value /= 2
		}
		a.Points = append(a.Points, p)
	}
	if fate == warns {
		a.Warnings = []string{"half the data is missing"}
	}
	return a, nil
}

func truth(k zmy.Tick) promquery.Point {
	if k%7 == 0 {
		return state(zmy.Missing)
	}
	return good(math.Abs(float64(k) / 1000))
}

func grid15(t testing.TB) zmy.Grid {
	t.Helper()
	g, err := zmy.NewGrid(15 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// window returns the n newest samples up to tick at, the oldest first.
func window(s *zmy.Series, at zmy.Tick, n int) []zmy.Sample {
	var list []zmy.Sample
	for k := at - zmy.Tick(n) + 1; k <= at; k++ {
		list = append(list, s.At(k))
	}
	return list
}

// describe writes samples as one letter each: u unasked, m missing, g good, in
// upper case when partial.
func describe(list []zmy.Sample) string {
	text := ""
	for _, v := range list {
		letter := map[zmy.State]rune{zmy.Unasked: 'u', zmy.Missing: 'm', zmy.Good: 'g'}[v.State]
		if v.Partial {
			letter += 'A' - 'a'
		}
		text += string(letter)
	}
	return text
}

func TestTrackerRounds(t *testing.T) {
	type round struct {
		at    zmy.Tick
		fates []fate // of the requests in turn; fine beyond the list
		asked []string
		fails bool
		want  string // the window of 5 ticks that ends at at
	}
	tests := []struct {
		name   string
		rounds []round
	}{
		{name: "fill, then one instant each", rounds: []round{
			{at: 105, asked: []string{"range 101-105"}, want: "ggggm"},
			{at: 106, asked: []string{"instant 106"}, want: "gggmg"},
			{at: 106, want: "gggmg"},
			{at: 107, asked: []string{"instant 107"}, want: "ggmgg"},
			{at: 104, want: "uuugg"},
		}},
		{name: "a hole is filled with the new tick", rounds: []round{
			{at: 10, asked: []string{"range 6-10"}, want: "gmggg"},
			{at: 11, fates: []fate{fails}, asked: []string{"instant 11"}, fails: true, want: "mgggu"},
			{at: 12, fates: []fate{fails}, asked: []string{"range 11-12"}, fails: true, want: "ggguu"},
			{at: 13, asked: []string{"range 11-13"}, want: "ggggg"},
			{at: 14, asked: []string{"instant 14"}, want: "ggggm"},
		}},
		{name: "a hole as long as the window", rounds: []round{
			{at: 10, asked: []string{"range 6-10"}, want: "gmggg"},
			{at: 30, asked: []string{"range 26-30"}, want: "ggmgg"},
		}},
		{name: "the first fill fails", rounds: []round{
			{at: 10, fates: []fate{fails}, asked: []string{"range 6-10"}, fails: true, want: "uuuuu"},
			{at: 11, asked: []string{"range 7-11"}, want: "mgggg"},
		}},
		{name: "warnings end", rounds: []round{
			{at: 10, asked: []string{"range 6-10"}, want: "gmggg"},
			{at: 11, fates: []fate{warns}, asked: []string{"instant 11"}, want: "mgggG"},
			{at: 12, fates: []fate{warns}, asked: []string{"instant 12"}, want: "gggGG"},
			{at: 13, asked: []string{"instant 13", "range 11-12"}, want: "ggggg"},
			{at: 14, asked: []string{"instant 14"}, want: "ggggm"},
		}},
		{name: "warnings during the fill", rounds: []round{
			{at: 10, fates: []fate{warns}, asked: []string{"range 6-10"}, want: "GMGGG"},
			{at: 10, want: "GMGGG"},
			{at: 11, asked: []string{"instant 11", "range 7-10"}, want: "mgggg"},
		}},
		{name: "ticks before the epoch are ticks too", rounds: []round{
			{at: 1, asked: []string{"range -3-1"}, want: "gggmg"},
		}},
		{name: "a repair fails, then succeeds", rounds: []round{
			{at: 10, asked: []string{"range 6-10"}, want: "gmggg"},
			{at: 11, fates: []fate{warns}, asked: []string{"instant 11"}, want: "mgggG"},
			{at: 12, fates: []fate{fine, fails}, asked: []string{"instant 12", "instant 11"}, fails: true, want: "gggGG"},
			{at: 13, asked: []string{"instant 13", "range 11-12"}, want: "ggggg"},
		}},
		{name: "a repair is partial again", rounds: []round{
			{at: 10, asked: []string{"range 6-10"}, want: "gmggg"},
			{at: 11, fates: []fate{warns}, asked: []string{"instant 11"}, want: "mgggG"},
			{at: 12, fates: []fate{fine, warns}, asked: []string{"instant 12", "instant 11"}, want: "gggGG"},
			{at: 12, want: "gggGG"},
			{at: 13, fates: []fate{fine, warns}, asked: []string{"instant 13", "range 11-12"}, want: "ggGGG"},
			{at: 14, asked: []string{"instant 14", "range 11-13"}, want: "ggggm"},
		}},
		{name: "a hole beside partial ticks", rounds: []round{
			{at: 10, asked: []string{"range 6-10"}, want: "gmggg"},
			{at: 11, fates: []fate{warns}, asked: []string{"instant 11"}, want: "mgggG"},
			{at: 12, fates: []fate{fails}, asked: []string{"instant 12"}, fails: true, want: "gggGu"},
			{at: 13, fates: []fate{fine, warns}, asked: []string{"range 12-13", "range 11-12"}, want: "ggGgG"},
			{at: 14, asked: []string{"instant 14", "range 11-13"}, want: "ggggm"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := &fake{t: t, grid: grid15(t)}
			tracker := promquery.NewTracker("zmy", zmy.Amount, 5)
			for i, r := range tt.rounds {
				source.asked = nil
				fates := r.fates
				source.next = func() fate {
					if len(fates) == 0 {
						return fine
					}
					f := fates[0]
					fates = fates[1:]
					return f
				}
				err := tracker.Update(t.Context(), source, source.grid, r.at)
				if (err != nil) != r.fails || (r.fails && !errors.Is(err, errFake)) {
					t.Errorf("round %d: error %v", i, err)
				}
				if diff := cmp.Diff(r.asked, source.asked); diff != "" {
					t.Errorf("round %d: asked (-want +got):\n%s", i, diff)
				}
				if got := describe(window(tracker.Series(), r.at, 5)); got != r.want {
					t.Errorf("round %d: the window is %s, want %s", i, got, r.want)
				}
			}
		})
	}
}

func TestTrackerPages(t *testing.T) {
	source := &fake{t: t, grid: grid15(t)}
	n := 2*promquery.MaxPoints + 1
	tracker := promquery.NewTracker("zmy", zmy.Amount, n)
	fates := []fate{fine, fails}
	source.next = func() fate {
		if len(fates) == 0 {
			return fine
		}
		f := fates[0]
		fates = fates[1:]
		return f
	}
	if err := tracker.Update(t.Context(), source, source.grid, zmy.Tick(n)); !errors.Is(err, errFake) {
		t.Fatalf("error %v", err)
	}
	if err := tracker.Update(t.Context(), source, source.grid, zmy.Tick(n)); err != nil {
		t.Fatal(err)
	}
	want := []string{"range 1-11000", "range 11001-22000", "range 11001-22000", "instant 22001"}
	if diff := cmp.Diff(want, source.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	for k := zmy.Tick(1); k <= zmy.Tick(n); k++ {
		if p := truth(k); tracker.Series().At(k).State != p.State {
			t.Fatalf("tick %d is %+v", k, tracker.Series().At(k))
		}
	}
}

func TestTrackerEdges(t *testing.T) {
	source := &fake{t: t, grid: grid15(t)}
	if err := promquery.NewTracker("zmy", zmy.Ratio, 0).Update(t.Context(), source, source.grid, 5); err != nil || source.asked != nil {
		t.Errorf("a tracker without memory asked %v, %v", source.asked, err)
	}
	one := promquery.NewTracker("zmy", zmy.Ratio, 1)
	if err := one.Update(t.Context(), source, source.grid, 5); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"instant 5"}, source.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	if one.Query() != "zmy" {
		t.Errorf("query %q", one.Query())
	}
	ask, ok := one.Plan(6)
	if want := (promquery.Ask{From: 6, To: 6}); !ok || ask != want {
		t.Errorf("plan %v, %v, want %v", ask, ok, want)
	}
	if err := one.Fill(ask, promquery.Answer{Points: make([]promquery.Point, 2)}); err == nil {
		t.Error("an answer of another length was taken")
	}
	if again, _ := one.Plan(6); again != ask {
		t.Errorf("a refused answer changed the plan to %v", again)
	}
	short := shortAnswers{}
	if err := one.Update(t.Context(), short, source.grid, 6); err == nil {
		t.Error("an answer of another length was taken")
	}
}

// shortAnswers breaks the promise of one point per instant.
type shortAnswers struct{ promquery.Querier }

func (shortAnswers) Instant(context.Context, string, time.Time) (promquery.Answer, error) {
	return promquery.Answer{}, nil
}

func (shortAnswers) Range(context.Context, string, time.Time, time.Time, time.Duration) (promquery.Answer, error) {
	return promquery.Answer{}, nil
}

// TestTrackerConverges drives trackers through random failures and warnings.
// What they show must be true whenever they say that it is whole, and they must
// get there within one good round.
func TestTrackerConverges(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		source := &fake{t: t, grid: grid15(t)}
		n := 1 + random.IntN(12)
		tracker := promquery.NewTracker("zmy", zmy.Amount, n)
		at := zmy.Tick(random.IntN(1000))
		for range 60 {
			at += zmy.Tick(1 + random.IntN(2)*random.IntN(4))
			calm := random.IntN(3) == 0
			source.asked = nil
			source.next = func() fate {
				if calm {
					return fine
				}
				return fate(random.IntN(3))
			}
			err := tracker.Update(t.Context(), source, source.grid, at)
			if len(source.asked) > 2 {
				t.Fatalf("seed %d: asked %v in one round", seed, source.asked)
			}
			checkHonest(t, seed, tracker, at, n, calm, err)
		}
	}
}

func checkHonest(t *testing.T, seed uint64, tracker *promquery.Tracker, at zmy.Tick, n int, calm bool, err error) {
	t.Helper()
	list := window(tracker.Series(), at, n)
	newest := list[len(list)-1]
	if calm && (err != nil || newest.Partial) {
		t.Fatalf("seed %d: after a calm round %s, %v", seed, describe(list), err)
	}
	if err == nil && newest.State == zmy.Unasked {
		t.Fatalf("seed %d: no error, and yet %s", seed, describe(list))
	}
	for i, v := range list {
		want := truth(at - zmy.Tick(n-1-i))
		switch {
		case v.State == zmy.Unasked || v.Partial:
			if newest.State != zmy.Unasked && !newest.Partial {
				t.Fatalf("seed %d: the window looks whole: %s", seed, describe(list))
			}
		case v.State != want.State || v.Value != want.Value:
			t.Fatalf("seed %d: tick %d is %+v, want %+v", seed, i, v, want)
		}
	}
}
