package zmy_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

func grid(t testing.TB, d time.Duration) zmy.Grid {
	t.Helper()
	g, err := zmy.NewGrid(d)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestNewGrid(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{0, -time.Second, time.Microsecond, time.Second + time.Nanosecond} {
		if _, err := zmy.NewGrid(d); !errors.Is(err, zmy.ErrInterval) {
			t.Errorf("NewGrid(%v): %v, want ErrInterval", d, err)
		}
	}
}

func TestGrid(t *testing.T) {
	t.Parallel()
	g := grid(t, 15*time.Second)
	tests := []struct {
		name string
		at   time.Time
		want time.Time
	}{
		{name: "on the grid", at: time.Unix(150, 0), want: time.Unix(150, 0)},
		{name: "just before", at: time.Unix(150, -1), want: time.Unix(135, 0)},
		{name: "just after", at: time.Unix(150, 1), want: time.Unix(150, 0)},
		{name: "before the epoch", at: time.Unix(-1, 0), want: time.Unix(-15, 0)},
		{name: "before the epoch, on the grid", at: time.Unix(-30, 0), want: time.Unix(-30, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := g.At(tt.at)
			if got := g.Time(k); !got.Equal(tt.want) || got.Location() != time.UTC {
				t.Errorf("got %v, want %v in UTC", got, tt.want)
			}
		})
	}
	if got := g.Steps(44 * time.Second); got != 2 {
		t.Errorf("44s hold %d whole intervals, want 2", got)
	}
	if got := g.StepsUp(31 * time.Second); got != 3 {
		t.Errorf("31s take %d intervals, want 3", got)
	}
	if got := g.Interval(); got != 15*time.Second {
		t.Errorf("interval %v", got)
	}
}

func TestDomain(t *testing.T) {
	t.Parallel()
	good := func(v float64) zmy.Sample { return zmy.Sample{Value: v, State: zmy.Good} }
	tests := []struct {
		name   string
		domain zmy.Domain
		v      float64
		want   zmy.Sample
	}{
		{name: "a ratio", domain: zmy.Ratio, v: 0.3, want: good(0.3)},
		{name: "one", domain: zmy.Ratio, v: 1, want: good(1)},
		{name: "noise above one", domain: zmy.Ratio, v: 1 + 1e-7, want: good(1)},
		{name: "noise below zero", domain: zmy.Ratio, v: -1e-7, want: good(0)},
		{name: "too far above one", domain: zmy.Ratio, v: 1.00001, want: zmy.Sample{State: zmy.OutOfRange}},
		{name: "too far below zero", domain: zmy.Ratio, v: -0.00001, want: zmy.Sample{State: zmy.OutOfRange}},
		{name: "a percentage", domain: zmy.Ratio, v: 97, want: zmy.Sample{State: zmy.OutOfRange}},
		{name: "an amount", domain: zmy.Amount, v: 97, want: good(97)},
		{name: "a negative amount, however small", domain: zmy.Amount, v: -1e-9, want: zmy.Sample{State: zmy.OutOfRange}},
		{name: "NaN", domain: zmy.Amount, v: math.NaN(), want: zmy.Sample{State: zmy.NotANumber}},
		{name: "+Inf", domain: zmy.Ratio, v: math.Inf(1), want: zmy.Sample{State: zmy.Infinite}},
		{name: "-Inf", domain: zmy.Amount, v: math.Inf(-1), want: zmy.Sample{State: zmy.Infinite}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := tt.domain.Sample(tt.v)
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if got.State.Bad() == got.OK() {
				t.Errorf("%v is both or neither of good and bad", got.State)
			}
		})
	}
}

// TestSeriesAgainstMap drives a series and a plain map side by side.
func TestSeriesAgainstMap(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		n := 1 + rng.IntN(8)
		s, model := zmy.NewSeries(n), map[zmy.Tick]zmy.Sample{}
		end, set := zmy.Tick(0), false
		for range 60 {
			k := zmy.Tick(rng.IntN(40) - 20)
			v := zmy.Sample{State: zmy.State(rng.IntN(int(zmy.NotAScalar) + 1)), Partial: rng.IntN(2) == 0}
			if v.OK() {
				v.Value = rng.Float64()
			}
			s.Set(k, v)
			if !set || k > end {
				end, set = k, true
			}
			if k > end-zmy.Tick(n) {
				model[k] = v
			}
			for q := zmy.Tick(-30); q < 30; q++ {
				want := zmy.Sample{}
				if q <= end && q > end-zmy.Tick(n) {
					want = model[q]
				}
				if got := s.At(q); got != want {
					t.Fatalf("n=%d end=%d: At(%d) = %+v, want %+v", n, end, q, got, want)
				}
			}
		}
	}
}

func TestSeriesNewest(t *testing.T) {
	t.Parallel()
	s := zmy.NewSeries(5)
	if _, _, ok := s.Newest(-100, 100); ok {
		t.Error("an empty series has a newest sample")
	}
	for k := range zmy.Tick(8) {
		s.Set(k, zmy.Ratio.Sample(float64(k)/10))
	}
	s.Set(7, zmy.Sample{State: zmy.Missing})
	tests := []struct {
		name     string
		from, to zmy.Tick
		want     zmy.Tick
		ok       bool
	}{
		{name: "the missing one is passed over", from: 0, to: 10, want: 6, ok: true},
		{name: "not later than to", from: 0, to: 4, want: 4, ok: true},
		{name: "not before from", from: 7, to: 9},
		{name: "not before what is remembered", from: 0, to: 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, k, ok := s.Newest(tt.from, tt.to); ok != tt.ok || (ok && k != tt.want) {
				t.Errorf("got %d, %v; want %d, %v", k, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestNilSeriesReadsAsEmpty(t *testing.T) {
	t.Parallel()
	var w zmy.Window
	s := w.Of(zmy.Yield)
	if _, ok := s.End(); ok || s.Len() != 0 || s.At(3) != (zmy.Sample{}) {
		t.Error("a role without a query does not read as empty")
	}
	var none zmy.Series
	none.Set(1, zmy.Sample{State: zmy.Good})
	if none.At(1).OK() {
		t.Error("a series that remembers nothing remembered something")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for r := range zmy.NumRoles {
		if seen[r.String()] {
			t.Errorf("role %d is called %q too", r, r)
		}
		seen[r.String()] = true
		if want := zmy.Amount; r != zmy.Yield && r.Domain() != want {
			t.Errorf("%v has domain %v", r, r.Domain())
		}
	}
	if zmy.Yield.Domain() != zmy.Ratio {
		t.Error("a yield is a ratio")
	}
	for s := zmy.Unasked; s <= zmy.NotAScalar; s++ {
		if seen[s.String()] {
			t.Errorf("state %d is called %q too", s, s)
		}
		seen[s.String()] = true
	}
	if zmy.NumRoles.String() != "unknown role" || zmy.State(99).String() != "unknown state" {
		t.Error("what has no name should say so")
	}
}

// TestStretches: what is said of a stretch is what looking up each of its ticks says,
// wherever it begins and ends.
func TestStretches(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	for range 500 {
		s := zmy.NewSeries(rng.IntN(8))
		for k := range zmy.Tick(20) {
			if rng.IntN(3) > 0 {
				s.Set(k, zmy.Sample{Value: float64(rng.IntN(3)), State: zmy.State(2 + rng.IntN(8)/7), Partial: rng.IntN(2) == 0})
			}
		}
		from := zmy.Tick(rng.IntN(30) - 5)
		w := s.Walk(from)
		for k := from; k < from+20; k++ {
			if got, want := w.Next(), s.At(k); got != want {
				t.Fatalf("walking from %d: %+v at %d, want %+v", from, got, k, want)
			}
		}
		stretch(t, s, from, from+zmy.Tick(rng.IntN(9)))
	}
	var none *zmy.Series
	stretch(t, none, -3, 3)
	if w := none.Walk(3); w.Next() != (zmy.Sample{}) {
		t.Error("no series has a sample")
	}
}

func stretch(t *testing.T, s *zmy.Series, from, to zmy.Tick) {
	t.Helper()
	least, good, since := math.Inf(1), 0, to+1
	for k := to; k >= from; k-- {
		v := s.At(k)
		if v.OK() {
			least, good = min(least, v.Value), good+1
		}
		if v.OK() && v.Value == s.At(to).Value && since == k+1 {
			since = k
		}
	}
	if l, n := s.Least(from, to); l != least || n != good {
		t.Fatalf("[%d, %d]: the least of %d is %v, want %v of %d", from, to, n, l, least, good)
	}
	if got := s.Unchanged(from, to); got != since {
		t.Fatalf("[%d, %d]: unchanged since %d, want %d", from, to, got, since)
	}
}
