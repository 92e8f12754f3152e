package simulate

import (
	"time"

	"github.com/infra-arch/zmy-scaler/internal/autoscaler"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Law is the scaler itself, on a window that is filled by the samples of a run.
type Law struct {
	policy     decision.Policy
	metricType decision.MetricType
	tolerance  *decision.Tolerance // instead of the HPA's; nil for that
	yield      average
	window     zmy.Window
	counts     decision.ReadyHistory
	decision   decision.Decision
	firstAsk   time.Time
	atZero     time.Time
}

// NewLaw returns the scaler for a trigger, which the HPA reads as m says. It is
// asked from a time on. A trigger in shadow mode is replayed as if it were active.
func NewLaw(t *trigger.Trigger, m decision.MetricType, from time.Time) *Law {
	p := t.Policy
	p.Shadow = false
	l := &Law{policy: p, metricType: m, yield: newAverage(p.Grid, p.Lookback), firstAsk: from, window: zmy.Window{Grid: p.Grid}}
	if t.ToleranceGiven {
		l.tolerance = &t.Tolerance
	}
	has := [zmy.NumRoles]bool{zmy.Yield: true, zmy.Workers: p.HasWorkers, zmy.CPU: p.HasCPU, zmy.Wake: p.HasWake, zmy.Guard: p.HasGuard}
	for role := range zmy.NumRoles {
		if has[role] {
			l.window.Series[role] = zmy.NewSeries(p.Ticks())
		}
	}
	return l
}

// Scraped implements [Controller].
func (l *Law) Scraped(k zmy.Tick, s Scrape) {
	l.yield.add(k, s.Yield)
	l.set(zmy.Yield, k, l.yield.at(k))
	l.set(zmy.CPU, k, s.CPU)
	l.set(zmy.Wake, k, s.Wake)
	l.set(zmy.Guard, k, s.Guard)
	if l.policy.HasWorkers {
		l.set(zmy.Workers, k, zmy.Amount.Sample(float64(s.Ready)))
	}
}

func (l *Law) set(role zmy.Role, k zmy.Tick, v zmy.Sample) {
	if series := l.window.Series[role]; series != nil {
		series.Set(k, v)
	}
}

// Decide implements [Controller].
func (l *Law) Decide(k zmy.Tick, f decision.Fleet) {
	if !l.policy.HasWorkers {
		l.counts.Record(&l.policy, &l.window, f.Ready, k)
	}
	l.decision = decision.Decide(&l.policy, &l.window, l.known(f), k)
}

// known is the fleet as the scaler knows it.
func (l *Law) known(f decision.Fleet) decision.Fleet {
	if l.tolerance != nil {
		f.Tolerance = *l.tolerance
	}
	return f
}

// Metric implements [Controller].
func (l *Law) Metric(now time.Time, f decision.Fleet) autoscaler.Metric {
	t := l.tell(now, f)
	return autoscaler.Metric{Type: l.metricType, Usage: t.Value, Target: l.policy.TargetMilli, Failed: t.NoValue}
}

// Active implements [Controller].
func (l *Law) Active(now time.Time, f decision.Fleet) (active, failed bool) {
	t := l.tell(now, f)
	return t.Active, t.NoActivity || t.NoValue
}

func (l *Law) tell(now time.Time, f decision.Fleet) decision.Told {
	if f.Spec.N == 0 {
		l.atZero = now
	}
	return decision.Tell(&l.policy, &l.decision, decision.Live{
		Fleet: l.known(f), Now: now, MetricType: l.metricType, FirstAsk: l.firstAsk, AtZero: l.atZero,
	})
}

// Pushes implements [Controller].
func (l *Law) Pushes() bool { return true }

// Why implements [Controller].
func (l *Law) Why() Why {
	end, _ := l.window.Of(zmy.Yield).End()
	return Why{Yield: l.window.Of(zmy.Yield).At(end), Band: l.decision.Band, Reason: l.decision.Reason}
}
