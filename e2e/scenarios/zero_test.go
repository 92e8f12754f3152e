package scenarios

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// zeroAndBack lets a fleet fall asleep and wakes it by wakeQuery. One busy worker
// is all the work there is: one replica is saturated by it, and four are not.
func zeroAndBack(kind string) func(*testing.T, stage.World) {
	return func(t *testing.T, w stage.World) {
		s, ctx := stage.New(t, w, stage.Options{})
		s.Work(2)
		s.Number("wake", 0)
		s.Scale(ctx, stage.Object{Min: 0, Max: 50, Triggers: []stage.Trigger{{
			Type: kind, Metadata: map[string]string{"wakeQuery": s.Query("wake")},
		}}})
		s.Stays(ctx, 3*time.Second)
		s.Work(0)
		idle := time.Now()
		s.Becomes(ctx, 0)
		t.Logf("%s: zero %v after the work ended, 3 s of them the delay", kind, time.Since(idle).Round(time.Millisecond))
		s.Stays(ctx, 5*time.Second)
		// KEDA goes from any size to zero, while the HPA is on its way to one. Which of
		// them is first is not ours to say; gracefulLanding is there for that.
		sizes := fmt.Sprint(s.Sizes())
		if !slices.Contains([]string{"[4 0]", "[4 1 0]", "[4 0 1 0]"}, sizes) {
			t.Errorf("spec.replicas went %s", sizes)
		}
		before := len(s.Sizes())
		s.Work(1)
		s.Number("wake", 5)
		work := time.Now()
		s.Until(ctx, 1)
		woken := time.Since(work)
		s.Becomes(ctx, 4)
		t.Logf("%s: one replica %v after there was work, four ready after %v", kind,
			woken.Round(time.Millisecond), time.Since(work).Round(time.Millisecond))
		s.HPAWants(ctx, 4)
		s.Stays(ctx, 3*time.Second)
		if sizes := s.Sizes()[before:]; !slices.Equal(sizes, []int{1, 4}) {
			t.Errorf("from zero spec.replicas went %v, want 1 and 4", sizes)
		}
	}
}
