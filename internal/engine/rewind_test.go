package engine

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// TestClockPutBack: a clock that was wrong does not end the decisions until it shows
// the wrong time again. Small steps back are waited for.
func TestClockPutBack(t *testing.T) {
	t.Parallel()
	e, _ := benchEngine(t, 3)
	decided := func(intervals int) time.Time {
		t.Helper()
		e.cfg.Clock = standing(intervals)
		e.round(t.Context())
		at := e.all()[0].verdict.Load().decision.At
		for _, en := range e.all() {
			d := en.verdict.Load().decision
			if !d.At.Equal(at) || !d.Yield.OK || !d.Yield.At.Equal(at) {
				t.Errorf("after %d intervals: decided at %v with a yield of %v, others at %v", intervals, d.At, d.Yield.At, at)
			}
			if end, ok := en.window.Of(zmy.Yield).End(); !ok || !en.window.Grid.Time(end).Equal(at) {
				t.Errorf("after %d intervals: the window ends at %v, %v", intervals, en.window.Grid.Time(end), ok)
			}
		}
		return at
	}
	ahead := decided(1000)
	if at := decided(998); !at.Equal(ahead) {
		t.Errorf("decided at %v while the clock is a little slow, want %v still", at, ahead)
	}
	if at := decided(10); !at.Equal(ahead.Add(-990 * 15 * time.Second)) {
		t.Errorf("decided at %v after the clock was put back by hours from %v", at, ahead)
	}
	if at := decided(11); !at.Equal(ahead.Add(-989 * 15 * time.Second)) {
		t.Errorf("decided at %v in the interval after", at)
	}
}
