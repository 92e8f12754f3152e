package simulate

import (
	"math"
	"testing"
	"time"
)

// month is 30 days of days and nights on a grid of 15 s: 172,800 decisions.
func month() Demand {
	d := Demand{Start: epoch, Step: time.Minute, Busy: make([]float64, 30*24*60)}
	for i := range d.Busy {
		day := math.Sin(2 * math.Pi * float64(i) / (24 * 60))
		d.Busy[i] = 12 + 8*day + 2*math.Sin(float64(i)/7) + float64(i%13)/6
	}
	return d
}

// TestRunAllocatesNothing: what a run allocates does not grow with its length,
// but for lists that are cut at the front and copied now and then.
func TestRunAllocatesNothing(t *testing.T) {
	l := loop(t, month(), nil)
	l.Demand.Busy = l.Demand.Busy[:2*24*60]
	n := testing.AllocsPerRun(1, func() {
		if _, err := Run(t.Context(), l, law(policy(t, nil)), nil); err != nil {
			t.Fatal(err)
		}
	})
	if decisions := 2 * 24 * 60 * 4.0; n > decisions/20 {
		t.Errorf("%v allocations for %v decisions", n, decisions)
	}
}

// BenchmarkMonth is 30 days of decisions: it must stay well below a second.
func BenchmarkMonth(b *testing.B) {
	l := loop(b, month(), nil)
	p := policy(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Run(b.Context(), l, law(p), nil); err != nil {
			b.Fatal(err)
		}
	}
}
