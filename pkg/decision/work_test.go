package decision_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// plainWork is the work at tick k as the law words it, without any shortcut:
// load times the harmonic mean of the workers that are not zero in (k-L, k].
func plainWork(p *decision.Policy, w *zmy.Window, k zmy.Tick) (float64, bool) {
	y := w.Of(zmy.Yield).At(k)
	if !y.OK() {
		return 0, false
	}
	load := 1 - y.Value
	span := zmy.Tick(math.Ceil(float64(p.Lookback) / float64(p.Grid.Interval())))
	sum, n := 0.0, 0
	for j := k - span + 1; j <= k; j++ {
		if v := w.Of(zmy.Workers).At(j); v.OK() && v.Value > 0 {
			sum += 1 / v.Value
			n++
		}
	}
	if load < 0.99 && n > 0 {
		return load * float64(n) / sum, true
	}
	reach := max(span-1, zmy.Tick(p.MaxStaleness/p.Grid.Interval()))
	for j := k; j >= k-reach; j-- {
		if v := w.Of(zmy.Workers).At(j); v.OK() && v.Value > 0 {
			return load * v.Value, true
		}
	}
	return 0, false
}

// TestWorkAgainstThePlainFormula compares the sliding sums with the formula.
func TestWorkAgainstThePlainFormula(t *testing.T) {
	t.Parallel()
	compared := 0
	for i := range uint64(4000) {
		s := newScene(t, binary.LittleEndian.AppendUint64([]byte("work"), i))
		d := decide(s.p, s.w, s.f)
		if !d.MaxWork.OK {
			continue
		}
		compared++
		at := s.p.Grid.At(d.Yield.At)
		most := 0.0
		for k := s.p.Grid.At(d.Since); k <= at; k++ {
			if work, ok := plainWork(s.p, s.w, k); ok {
				most = max(most, work)
			}
		}
		work, _ := plainWork(s.p, s.w, at)
		if near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, b) }; !near(d.MaxWork.Value, most) || !near(d.Work, work) {
			t.Fatalf("work %v, heaviest %v; the formula says %v and %v", d.Work, d.MaxWork.Value, work, most)
		}
	}
	if compared < 300 {
		t.Errorf("only %d comparisons", compared)
	}
}
