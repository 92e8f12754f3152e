package decision_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// TestReadyHistory: of the counts before and after an instant the smaller one is
// kept, and the past is what the first count was.
func TestReadyHistory(t *testing.T) {
	t.Parallel()
	p := policy(t, nil)
	w := &zmy.Window{Grid: p.Grid}
	var h decision.ReadyHistory
	at := p.Grid.At(now)
	h.Record(p, w, decision.Count{}, at)
	if w.Of(zmy.Workers) != nil {
		t.Error("an unknown count made a history")
	}
	first := at + 1
	for _, c := range []decision.Count{decision.Known(4), decision.Known(8), decision.Known(8), decision.Known(3), {}, decision.Known(9)} {
		at++
		h.Record(p, w, c, at)
	}
	var got []float64
	for k := first - 2; k <= at; k++ {
		got = append(got, w.Of(zmy.Workers).At(k).Value)
	}
	// After the gap nothing is known of the count before.
	if d := cmp.Diff([]float64{4, 4, 4, 4, 8, 3, 0, 9}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if oldest := w.Of(zmy.Workers).At(at - zmy.Tick(p.Ticks()) + 1); !oldest.OK() {
		t.Errorf("the window begins with %+v", oldest)
	}
}

// TestReadyWorkersDidNotCarryTheLoad: workers that became ready between the
// sample and the decision make the work look no heavier.
func TestReadyWorkersDidNotCarryTheLoad(t *testing.T) {
	t.Parallel()
	p := policy(t, nil)
	w := window(t, p, lines{zmy.Yield: "0.2x3"}) // 4 workers, 3.2 of them busy
	var h decision.ReadyHistory
	for i, ready := range []int{4, 4, 8} {
		h.Record(p, w, decision.Known(ready), p.Grid.At(now)-zmy.Tick(2-i))
	}
	if d := decide(p, w, fleet(11)); d.Band != decision.Hold || d.Reason != decision.WorkersStarting {
		t.Errorf("%v to %d, %v; want hold: 11 workers cover what 4 did", d.Band, d.Desired, d.Reason)
	}
}
