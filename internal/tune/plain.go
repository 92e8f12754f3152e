package tune

import (
	"context"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// Plain is KEDA's own Prometheus trigger on the same signal, with an HPA that is
// told how long to wait before it shrinks.
type Plain struct {
	// Target is the threshold, in percent of load.
	Target int `json:"target"`
	// Lookback is what the yield is averaged over, Stabilization the
	// stabilizationWindowSeconds of scaleDown; both in seconds.
	Lookback      int `json:"lookback"`
	Stabilization int `json:"stabilization"`
	// Train and Test are what it does in the first and in the second half.
	Train simulate.Result `json:"train"`
	Test  simulate.Result `json:"test"`
}

// plains returns the plain triggers that are searched. A target above 90 is none:
// with the HPA's tolerance of a tenth a load cannot exceed it.
func (s *search) plains() []*Plain {
	var all []*Plain
	interval := s.space.plan.Trigger.Policy.Grid.Interval()
	for target := 20; target <= 90; target += 5 {
		if float64(target)/100*(1+s.space.plan.Object.Behavior.Up.Tolerance) >= 1 {
			continue
		}
		for _, lookback := range []time.Duration{interval, time.Minute, 2 * time.Minute, 5 * time.Minute} {
			for _, window := range []time.Duration{0, time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour} {
				if lookback >= interval {
					all = append(all, &Plain{Target: target, Lookback: int(lookback.Seconds()), Stabilization: int(window.Seconds())})
				}
			}
		}
	}
	return all
}

// runPlain replays a plain trigger. It has the behavior of the ScaledObject, but
// for the window.
func (s *search) runPlain(ctx context.Context, p *Plain, l simulate.Loop) (simulate.Result, error) {
	l.Behavior.Given = true
	l.Behavior.Down.Window = time.Duration(p.Stabilization) * time.Second
	d := &s.space.plan.Trigger.Policy
	c := simulate.NewPlain(d.Grid, time.Duration(p.Lookback)*time.Second, int64(p.Target)*1000, d.HasWake)
	return simulate.Run(ctx, l, c, nil)
}
