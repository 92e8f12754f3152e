package plane_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
)

// TestPoison: of 1,000 queries one fails, whatever way. The others are answered
// in the same round, and from the next one on as if it were not there.
func TestPoison(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		b    behaviour
		kind promquery.Kind
	}{
		{name: "a parse error", b: behaviour{err: fails(promquery.KindBadQuery)}, kind: promquery.KindBadQuery},
		{name: "an error of execution", b: behaviour{err: fails(promquery.KindExecution)}, kind: promquery.KindExecution},
		{name: "too many series", b: behaviour{takes: time.Second, err: fails(promquery.KindTooLarge)}, kind: promquery.KindTooLarge},
		{name: "a timeout", b: behaviour{takes: time.Hour}, kind: promquery.KindTimeout},
		{name: "a proxy that gives up", b: behaviour{takes: time.Second, err: fails(promquery.KindServer)}, kind: promquery.KindServer},
		{name: "garbage", b: behaviour{err: fails(promquery.KindGarbage)}, kind: promquery.KindGarbage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newRig(t, plan.DefaultLimits())
				for i := range 10 {
					r.add(fmt.Sprint("tenant-", i), 100*i, 100*i+100)
				}
				r.source.set(with(tt.b, "w617"))
				first := r.round()
				checkPoisoned(t, first, 617, tt.kind)
				if n := len(r.source.asked()); n > 4+16+16+8 {
					t.Errorf("it took %d requests to find one in a thousand", n)
				}
				second := r.round()
				checkPoisoned(t, second, 617, tt.kind)
				for i, g := range second {
					if i != 617 && g.after > 20*time.Millisecond {
						t.Fatalf("in the second round ask %d came after %v", i, g.after)
					}
				}
				for _, jobs := range r.source.asked() {
					if len(jobs) > 1 && slices.Contains(jobs, "w617") {
						t.Errorf("the culprit was asked together with %d others", len(jobs)-1)
					}
				}
			})
		})
	}
}

// checkPoisoned: one ask has an error of its own, and all others are answered.
func checkPoisoned(t *testing.T, results []got, culprit int, kind promquery.Kind) {
	t.Helper()
	for i, g := range results {
		e, ok := errors.AsType[*promquery.Error](g.Err)
		switch {
		case i != culprit && g.Err != nil:
			t.Fatalf("ask %d: %v", i, g.Err)
		case i == culprit && (!ok || e.Kind != kind || is[*plane.SharedError](g.Err)):
			t.Errorf("the culprit: %v, want %v", g.Err, kind)
		}
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
