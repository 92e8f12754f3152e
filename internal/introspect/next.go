package introspect

import (
	"fmt"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// next says what comes next if nothing changes, and when, where that is known.
func next(a engine.Answer, e *zmyv1.Emitted, now time.Time) (string, time.Time) {
	p, d := &a.Trigger.Policy, &a.Decision
	switch a.Told.Reason {
	case decision.SaturatedPending:
		at := d.At.Add(d.Remaining())
		return fmt.Sprintf("scales up in %s if the yield stays below %s", span(at.Sub(now)), ratio(p.Up)), at
	case decision.IdlePending:
		at := d.At.Add(d.Remaining())
		return fmt.Sprintf("may scale down in %s if the yield stays above %s", span(at.Sub(now)), ratio(p.Down)), at
	case decision.HistoryUnknown:
		return "may scale up once the lookback holds no count from before the last scaling", time.Time{}
	case decision.NoData, decision.StaleData, decision.BadData, decision.FirstYieldPending:
		return blind(p, a.Told.Since, now)
	case decision.NoDataTooLong:
		return "errors until there is a usable yield; the ScaledObject's fallback applies, if it has one", time.Time{}
	case decision.ReplicasUnknown, decision.WorkersUnknown:
		return "holds until the count is known", time.Time{}
	case decision.ShadowHold, decision.ShadowLowest:
		return "nothing: shadow mode moves no replicas", time.Time{}
	case decision.AbsentAtZero:
		return atZero(p), time.Time{}
	case decision.WokenByQuery, decision.WokenByYield:
		return "KEDA takes the fleet from zero to its minimum", time.Time{}
	case decision.Landing:
		return "goes to 1; inactive once it is there", time.Time{}
	case decision.NothingToDo:
		return "KEDA takes the fleet to its minimum once its cooldownPeriod is over", time.Time{}
	default:
		return sizes(a, e), time.Time{}
	}
}

// blind says when missing data turns from hold into an error.
func blind(p *decision.Policy, since, now time.Time) (string, time.Time) {
	if p.ErrorOnNoData || since.IsZero() {
		return "holds until there is a usable yield", time.Time{}
	}
	at := since.Add(p.HoldFor)
	return fmt.Sprintf("holds for another %s; without a usable yield it errors then", span(at.Sub(now))), at
}

func atZero(p *decision.Policy) string {
	if p.HasWake {
		return fmt.Sprintf("stays at zero until wakeQuery is above 0 or the yield falls below %s", ratio(p.Inactive))
	}
	return fmt.Sprintf("stays at zero until the yield falls below %s", ratio(p.Inactive))
}

// sizes says what the HPA does with the value it is told.
func sizes(a engine.Answer, e *zmyv1.Emitted) string {
	p, from := &a.Trigger.Policy, a.Fleet.Spec.N
	to := e.HpaBounded
	if to == nil {
		to = e.HpaReplicas
	}
	switch {
	case to == nil:
		return "holds"
	case int(*to) > from:
		return fmt.Sprintf("the HPA takes the fleet from %d to %d, as fast as its behavior lets it", from, *to)
	case int(*to) < from:
		return fmt.Sprintf("the HPA takes the fleet from %d to %d, once its stabilization window and policies let it", from, *to)
	}
	return fmt.Sprintf("stays at %d while the yield is from %s to %s", from, ratio(p.Up), ratio(p.Down))
}

// span writes a duration for people: whole seconds, never negative.
func span(d time.Duration) string {
	return max(0, d.Round(time.Second)).String()
}

// ratio writes a threshold as a user would.
func ratio(v float64) string { return fmt.Sprintf("%.4g", v) }
