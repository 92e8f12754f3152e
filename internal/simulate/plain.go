package simulate

import (
	"math"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/autoscaler"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Plain is KEDA's own Prometheus trigger on the same signal, metricType Value:
// 100 * (1 - yield) against a target. It is asked when the HPA asks, for the
// newest sample; a missing one counts as 0, as KEDA has it by default.
type Plain struct {
	target int64
	yield  average
	newest zmy.Tick
	wakes  bool
	wake   zmy.Sample
}

// NewPlain returns a trigger with a target in thousandths of a percent point.
// With wakes, a second trigger wakes the fleet by what the scaler's would.
func NewPlain(grid zmy.Grid, lookback time.Duration, targetMilli int64, wakes bool) *Plain {
	return &Plain{target: targetMilli, yield: newAverage(grid, lookback), wakes: wakes}
}

// Scraped implements [Controller].
func (p *Plain) Scraped(k zmy.Tick, s Scrape) {
	p.yield.add(k, s.Yield)
	p.newest, p.wake = k, s.Wake
}

// Decide implements [Controller]: there is nothing to decide beforehand.
func (p *Plain) Decide(zmy.Tick, decision.Fleet) {}

// Metric implements [Controller].
func (p *Plain) Metric(time.Time, decision.Fleet) autoscaler.Metric {
	return autoscaler.Metric{Type: decision.Value, Usage: p.usage(), Target: p.target}
}

// Active implements [Controller].
func (p *Plain) Active(time.Time, decision.Fleet) (active, failed bool) {
	return p.usage() > 0 || p.wakes && p.wake.OK() && p.wake.Value > 0, false
}

// Pushes implements [Controller]: KEDA polls Prometheus.
func (p *Plain) Pushes() bool { return false }

// Why implements [Controller].
func (p *Plain) Why() Why { return Why{Yield: p.yield.at(p.newest)} }

// usage is the value in thousandths, as KEDA prints it.
func (p *Plain) usage() int64 {
	y := p.yield.at(p.newest)
	if !y.OK() {
		return 0
	}
	return int64(math.Round(100_000 * (1 - y.Value)))
}
