package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// told makes a note of the i-th decision of a row, which told KEDA a size.
func told(i, size int) note {
	d := decision.Decision{At: time.Unix(int64(15*i), 0).UTC(), Band: decision.ScaleUp, Reason: decision.Saturated, Desired: size}
	return pack(&d, decision.Told{Active: true, Replicas: size, Band: decision.ScaleUp, Reason: decision.Saturated})
}

func TestNoteKeepsAllOfADecision(t *testing.T) {
	at := time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		d    decision.Decision
		told decision.Told
		want Record
	}{
		{
			name: "a scale-up that was told",
			d: decision.Decision{
				At: at, Band: decision.ScaleUp, Reason: decision.Saturated, Desired: 11,
				Evidence: decision.Evidence{Replicas: decision.Known(4), Yield: decision.Reading{Value: 0.1, At: at, OK: true}},
			},
			told: decision.Told{Value: 330_000, Active: true, Replicas: 11, Band: decision.ScaleUp, Reason: decision.Saturated},
			want: Record{
				At: at, Band: decision.ScaleUp, Reason: decision.Saturated, Yield: 0.1, YieldOK: true, Replicas: 4, Desired: 11, CountKnown: true,
				Told: decision.Told{Value: 330_000, Active: true, Replicas: 11, Band: decision.ScaleUp, Reason: decision.Saturated},
			},
		},
		{
			name: "nothing is known, and an error is told",
			d:    decision.Decision{At: at, Reason: decision.NoData},
			told: decision.Told{NoValue: true, NoActivity: true, Reason: decision.NoDataTooLong},
			want: Record{
				At: at, Reason: decision.NoData,
				Told: decision.Told{NoValue: true, NoActivity: true, Reason: decision.NoDataTooLong},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, pack(&tt.d, tt.told).unpack()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHistoryKeepsTheNewest(t *testing.T) {
	var h history
	if got := h.recent(); len(got) != 0 {
		t.Fatalf("an empty history has %d records", len(got))
	}
	const total = 250
	for i := range total {
		h.add(told(i, 1+i/5)) // another size every five decisions
	}
	recent, changes := h.recent(), h.changed()
	if len(recent) != keptDecisions || len(changes) != keptChanges {
		t.Fatalf("%d decisions and %d changes are kept, want %d and %d", len(recent), len(changes), keptDecisions, keptChanges)
	}
	for i, r := range recent {
		if want := time.Unix(int64(15*(total-1-i)), 0); !r.At.Equal(want) {
			t.Fatalf("decision %d is of %v, want %v", i, r.At, want)
		}
	}
	for i, r := range changes {
		if want := time.Unix(int64(15*(total-5-5*i)), 0); !r.At.Equal(want) {
			t.Fatalf("change %d is of %v, want %v", i, r.At, want)
		}
	}
}

// TestHistoryAgainstList: runs of decisions, with holes in time and in what they
// say, give back what a plain list does.
func TestHistoryAgainstList(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 50 {
		var h history
		var list []Record
		n := told(0, 4)
		for range rng.IntN(3 * keptDecisions) {
			n.at += int64(1+rng.IntN(30)/29) * int64(15*time.Second)
			n.yield = rng.Float64()
			switch rng.IntN(25) {
			case 0:
				n.size = int32(rng.IntN(5))
			case 1:
				n.reason = uint8(1 + rng.IntN(5))
			case 2:
				n.flags ^= flagYield
			}
			h.add(n)
			list = append(list, n.unpack())
		}
		slices.Reverse(list)
		list = list[:min(len(list), keptDecisions)]
		if diff := cmp.Diff(list, h.recent(), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	}
}

// TestHistoryOfASteadyTrigger: the past of a trigger that says the same all the time
// takes little more than its yields.
func TestHistoryOfASteadyTrigger(t *testing.T) {
	var h history
	for i := range 3 * keptDecisions {
		h.add(told(i, 4))
	}
	if len(h.runs) != 1 || len(h.yields) != keptDecisions {
		t.Errorf("%d runs, %d yields", len(h.runs), len(h.yields))
	}
}

func TestHistoryKnowsAChange(t *testing.T) {
	base := told(0, 4)
	for _, tt := range []struct {
		name   string
		change func(*note)
		want   int
	}{
		{name: "nothing", change: func(*note) {}},
		{name: "another reason for the same size", change: func(n *note) { n.reason = uint8(decision.AtMax) }},
		{name: "another value for the same size", change: func(n *note) { n.value++ }},
		{name: "another size", change: func(n *note) { n.size++ }, want: 1},
		{name: "no longer active", change: func(n *note) { n.flags &^= flagActive }, want: 1},
		{name: "an error", change: func(n *note) { n.flags |= flagNoValue }, want: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h history
			h.add(base)
			next := base
			tt.change(&next)
			h.add(next)
			if got := len(h.changed()); got != tt.want {
				t.Errorf("%d changes, want %d", got, tt.want)
			}
		})
	}
}
