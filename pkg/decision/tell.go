package decision

import "time"

// Live is what is known at the time of a call, as opposed to the time of the
// decision.
type Live struct {
	Fleet
	Now        time.Time
	MetricType MetricType
	// FirstAsk is when this process was first asked for the trigger; AtZero is
	// the newest instant at which it saw the fleet at zero replicas, where a
	// missing yield is no fault. They count the age of data that never was.
	FirstAsk, AtZero time.Time
}

// Told is what KEDA is told.
type Told struct {
	// Value is the metric's value in thousandths; valid unless NoValue.
	Value int64
	// NoValue tells that no value can be said: gRPC Unavailable.
	NoValue bool
	// Active is the answer of IsActive; valid unless NoActivity.
	Active bool
	// NoActivity tells that no activity can be said: gRPC Unavailable.
	NoActivity bool
	// Replicas is the size meant by Value; 0 where it means none.
	Replicas int
	// Band and Reason are the decision's, or those that came after it: data
	// that went stale since, graceful landing. Shadow leaves the band as it is.
	Band   Band
	Reason Reason
	// Since is when the data went missing, where Reason says that it did.
	Since time.Time
}

// Tell returns what KEDA is told of a decision. It encodes the size in terms of
// the live counts, so that a decision that the HPA has acted on already, or is
// asked for twice or late, moves the fleet no further.
func Tell(p *Policy, d *Decision, l Live) Told {
	t := tell(p, d, l)
	if p.Shadow {
		t.shadow(p, l)
	}
	return t
}

func tell(p *Policy, d *Decision, l Live) Told {
	t := Told{Band: d.Band, Reason: d.Reason, Active: true}
	age := l.Now.Sub(d.Yield.At)
	blind := !d.Yield.OK || age > p.MaxStaleness
	switch {
	case l.Spec.Known && l.Spec.N == 0:
		return tellZero(p, d, l, age)
	case blind:
		return tellBlind(p, d, l)
	case !l.Spec.Known:
		return tellUnknown(p, l, ReplicasUnknown, p.wakes(d, l))
	}
	size := l.Spec.N
	switch d.Band {
	case Hold:
		size = p.held(d, l)
	case ScaleUp:
		size = max(size, d.Desired)
	case ScaleDown:
		size = min(size, max(1, d.Desired))
	case Inactive:
		size = min(size, max(1, d.Desired))
		landing := p.GracefulLanding && l.Spec.N > 1
		t.Active = landing || p.wakes(d, l)
		if landing {
			t.Reason = Landing
		}
	}
	t.encode(p, l, size)
	return t
}

// held is the size that changes nothing. A count that is a sample may be older
// than what the HPA did since; see keepWant.
func (p *Policy) held(d *Decision, l Live) int {
	if l.SpecAt.IsZero() {
		return l.Spec.N
	}
	return max(l.Spec.N, d.Desired)
}

// wakes reports whether wakeQuery's newest answer is above 0 and not stale.
func (p *Policy) wakes(d *Decision, l Live) bool {
	return d.Wake.OK && d.Wake.Value > 0 && l.Now.Sub(d.Wake.At) <= p.MaxStaleness
}

// encode sets the value that means size. Without a ready count no ratio can be
// said, so that Value holds.
func (t *Told) encode(p *Policy, l Live, size int) {
	t.Replicas = size
	if l.MetricType == AverageValue {
		t.Value = EncodeAverageValue(p.TargetMilli, size, l.Status, l.Tolerance)
		return
	}
	t.Value = p.TargetMilli
	if l.Ready.Known {
		t.Value = EncodeValue(p.TargetMilli, size, l.Spec.N, l.Ready.N, l.Tolerance)
	}
	if t.Value == p.TargetMilli {
		t.Replicas = l.Spec.N
	}
}

// tellUnknown answers when the replica count is unknown. The target itself is
// "hold" under Value, whatever the count; AverageValue has no such number.
func tellUnknown(p *Policy, l Live, why Reason, wakes bool) Told {
	t := Told{Reason: why, Active: true, Value: p.TargetMilli}
	if l.MetricType == AverageValue {
		t.Value, t.NoValue, t.NoActivity = 0, true, !wakes
	}
	return t
}

// tellZero answers at zero replicas: active only where something wakes them. A
// count that is itself stale keeps the last answer: the fleet may have been
// woken since, and an outage must not put it back to sleep.
func tellZero(p *Policy, d *Decision, l Live, age time.Duration) Told {
	t := Told{Band: Inactive, Reason: AbsentAtZero, Value: p.TargetMilli}
	stale := !l.SpecAt.IsZero() && l.Now.Sub(l.SpecAt) > p.MaxStaleness
	switch {
	case d.Wake.OK && d.Wake.Value > 0 && !d.Wake.Partial && (stale || p.wakes(d, l)):
		t.Active, t.Reason = true, WokenByQuery
	case d.Yield.OK && !d.Yield.Partial && !p.nothingToDo(d.Yield.Value) && (stale || age <= p.MaxStaleness):
		t.Active, t.Reason = true, WokenByYield
	}
	if t.Active {
		t.Band = ScaleUp
	}
	if l.MetricType == AverageValue {
		if t.Active {
			t.Replicas = max(1, l.Min)
		}
		t.Value = EncodeAverageValue(p.TargetMilli, t.Replicas, Count{}, l.Tolerance)
	}
	return t
}

// tellBlind answers without a fresh yield: hold for a while, then an error, so
// that the ScaledObject's own fallback applies.
func tellBlind(p *Policy, d *Decision, l Live) Told {
	why := d.Reason
	if why != BadData && why != NoData {
		why = StaleData
	}
	since := later(d.Yield.At, l.AtZero)
	if !d.Yield.OK {
		since = later(l.FirstAsk, l.AtZero)
	}
	if why != BadData && !l.AtZero.IsZero() && since.Equal(l.AtZero) {
		why = FirstYieldPending
	}
	tooLong := l.Now.Sub(since) > p.HoldFor
	if p.ErrorOnNoData {
		// Data may be missing until the first worker after zero was measured.
		tooLong = l.Now.Sub(l.AtZero) > p.MaxStaleness
	}
	if tooLong {
		return Told{NoValue: true, NoActivity: true, Reason: NoDataTooLong, Since: since}
	}
	if !l.Spec.Known && l.MetricType == AverageValue {
		// That the count is unknown too is what keeps hold from being said.
		return tellUnknown(p, l, ReplicasUnknown, p.wakes(d, l))
	}
	if !l.Spec.Known {
		t := tellUnknown(p, l, why, true)
		t.Since = since
		return t
	}
	t := Told{Active: true, Reason: why, Since: since}
	t.encode(p, l, p.held(d, l))
	return t
}

// shadow replaces what would be told by what moves nothing: hold, when the
// trigger is alone on its ScaledObject, else the lowest value, since the HPA
// takes the largest of all metrics and KEDA any active one.
func (t *Told) shadow(p *Policy, l Live) {
	band := t.Band
	switch {
	case l.Accompanied:
		*t = Told{Reason: ShadowLowest}
	case !l.Spec.Known:
		*t = tellUnknown(p, l, ShadowHold, false)
	default:
		*t = Told{Reason: ShadowHold, Active: l.Spec.N > 0}
		t.encode(p, l, l.Spec.N)
	}
	t.Band = band
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
