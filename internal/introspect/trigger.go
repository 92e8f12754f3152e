package introspect

import (
	"math"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// Trigger returns one trigger at a glance. At what instant it is told matters
// only to what comes next.
func Trigger(s engine.Status, now time.Time) *zmyv1.Trigger {
	p := &s.Trigger.Policy
	t := &zmyv1.Trigger{
		Key: s.Key, Namespace: s.Namespace, ScaledObject: s.Name, Metric: s.Trigger.MetricName,
		Source: s.Trigger.Source, Mode: mode(p),
		ScaleUpThreshold: p.Up, ScaleDownThreshold: p.Down, InactiveThreshold: p.Inactive,
		Problem: problem(s),
	}
	t.Healthy = t.Problem == ""
	if s.Err != nil {
		return t
	}
	t.At = timestamppb.New(s.Decision.At)
	t.Band, t.Reason, t.Text = s.Told.Band.String(), s.Told.Reason.String(), s.Told.Reason.Text()
	if y := s.Decision.Yield; y.OK {
		t.Yield, t.YieldAt = &y.Value, timestamppb.New(y.At)
	}
	t.Replicas, t.Ready, t.Status = count(s.Fleet.Spec), count(s.Fleet.Ready), count(s.Fleet.Status)
	t.Min, t.Max = int32(s.Fleet.Min), int32(s.Fleet.Max)
	if s.Decision.Replicas.Known {
		t.Desired = number(s.Decision.Desired)
	}
	t.Emitted = emitted(s.Answer)
	var at time.Time
	if t.Next, at = next(s.Answer, t.Emitted, now); !at.IsZero() {
		t.NextAt = timestamppb.New(at)
	}
	return t
}

func mode(p *decision.Policy) string {
	if p.Shadow {
		return "shadow"
	}
	return "active"
}

// problem says what is wrong with a trigger, in the words of whoever found out.
func problem(s engine.Status) string {
	switch {
	case s.Err != nil:
		return s.Err.Error()
	case s.Failure != "":
		return s.Failure
	}
	switch s.Told.Reason {
	case decision.NoData, decision.StaleData, decision.BadData, decision.NoDataTooLong,
		decision.ReplicasUnknown, decision.WorkersUnknown, decision.GuardMissing, decision.PartialData:
		return s.Told.Reason.Text()
	default:
		return ""
	}
}

// emitted returns what KEDA is told, and the size that the HPA's own arithmetic
// makes of it.
func emitted(a engine.Answer) *zmyv1.Emitted {
	p := &a.Trigger.Policy
	e := &zmyv1.Emitted{Target: float64(p.TargetMilli) / 1000, MetricType: a.MetricType.String()}
	if !a.Told.NoActivity {
		e.Active = &a.Told.Active
	}
	if a.Told.NoValue {
		return e
	}
	value := float64(a.Told.Value) / 1000
	e.Value = &value
	n, ok := computes(a)
	if !ok {
		return e
	}
	e.HpaReplicas = number(n)
	if a.Fleet.Max > 0 {
		e.HpaBounded = number(min(max(n, 1, a.Fleet.Min), a.Fleet.Max))
	}
	return e
}

// computes returns the size the HPA computes from what it is told, and whether
// it can be known. At zero replicas KEDA, not the HPA, is in charge.
func computes(a engine.Answer) (int, bool) {
	p, f := &a.Trigger.Policy, a.Fleet
	switch {
	case a.Told.NoValue, !f.Spec.Known, f.Spec.N == 0:
		return 0, false
	case a.MetricType == decision.AverageValue && f.Status.Known:
		return decision.HPAAverageValue(a.Told.Value, p.TargetMilli, f.Status.N, f.Tolerance), true
	case a.MetricType == decision.AverageValue:
		return decision.HPAAverageValue(a.Told.Value, p.TargetMilli, f.Spec.N, f.Tolerance), true
	case f.Ready.Known:
		return decision.HPAValue(a.Told.Value, p.TargetMilli, f.Spec.N, f.Ready.N, f.Tolerance), true
	}
	return 0, false
}

func count(c decision.Count) *int32 {
	if !c.Known {
		return nil
	}
	return number(c.N)
}

func number(n int) *int32 {
	v := int32(min(n, math.MaxInt32))
	return &v
}
