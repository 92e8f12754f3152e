package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/clock"
)

func TestScaled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		c := clock.Scaled(epoch, 60)
		start := time.Now()
		<-c.NewTimer(time.Hour).C
		if got := time.Since(start); got != time.Minute {
			t.Errorf("an hour took %v on the wall, want 1m", got)
		}
		if got := c.Now().Sub(epoch); got != time.Hour {
			t.Errorf("%v have passed, want 1h", got)
		}
		if got := c.Wall(time.Minute); got != time.Second {
			t.Errorf("a minute is %v on the wall, want 1s", got)
		}
	})
}

func TestReal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := clock.Real()
		start := c.Now()
		<-c.NewTimer(time.Second).C
		if got := c.Now().Sub(start); got != time.Second {
			t.Errorf("a second took %v", got)
		}
		if got := c.Wall(time.Minute); got != time.Minute {
			t.Errorf("a minute is %v on the wall", got)
		}
	})
}
