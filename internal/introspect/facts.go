package introspect

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// facts returns the numbers a decision rests on, in the order in which a person
// would reason. What is unknown is left out.
func facts(a engine.Answer) []*zmyv1.Fact {
	p, d := &a.Trigger.Policy, &a.Decision
	var all []*zmyv1.Fact
	add := func(name string, v float64, text string) {
		all = append(all, &zmyv1.Fact{Name: name, Value: v, Text: text})
	}
	reading := func(name string, r decision.Reading, text string) {
		if r.OK {
			all = append(all, &zmyv1.Fact{Name: name, Value: r.Value, Text: text, At: timestamppb.New(r.At)})
		}
	}
	reading("yield", d.Yield, "newest good yield: 0 saturated, 1 idle")
	if d.Yield.OK {
		add("load", 1-d.Yield.Value, "1 - yield")
	}
	if d.Replicas.Known {
		add("replicas", float64(d.Replicas.N), "spec.replicas when it was decided")
	}
	if d.Workers > 0 {
		add("workers", d.Workers, "harmonic mean of the workers over the lookback")
		add("work", d.Work, "busy workers: load x workers")
	}
	reading("heaviest_work", d.MaxWork, "the heaviest work since the yield is this high, at most scaleDownDelay ago")
	reading("cpu", d.CPU, "CPU used over CPU requested")
	if d.Pressure > 0 {
		add("target", p.Target, "triggerThreshold / 100, the load the fleet is sized to")
		add("pressure", d.Pressure, "load over target, with the CPU weighed in")
		add("want", d.Want, "workers x pressure, before it is rounded up and bounded")
	}
	reading("wake", d.Wake, "newest answer of wakeQuery; above 0 wakes from zero")
	reading("guard", d.Guard, "answer of guardQuery; above 0 forbids scaling down")
	if d.Replicas.Known {
		add("desired", float64(d.Desired), "the size decided")
	}
	return all
}

// timers returns the stretches of time that are running.
func timers(a engine.Answer, now time.Time) []*zmyv1.Timer {
	p, d := &a.Trigger.Policy, &a.Decision
	var all []*zmyv1.Timer
	add := func(name string, since time.Time, length time.Duration, text string) {
		all = append(all, timer(name, since, length, now, text))
	}
	switch a.Told.Reason {
	case decision.SaturatedPending:
		add("scale_up_delay", d.Since, d.Delay, "then the yield has been low long enough to scale up")
	case decision.IdlePending:
		add("scale_down_delay", d.Since, d.Delay, "then the yield has been high long enough to scale down")
	default:
	}
	if d.Yield.OK {
		add("max_staleness", d.Yield.At, p.MaxStaleness, "then the newest yield is too old to decide on, and the fleet holds")
	}
	if !a.Told.Since.IsZero() && !p.ErrorOnNoData {
		add("hold_for", a.Told.Since, p.HoldFor, "then holding ends in an error, and the ScaledObject's fallback applies")
	}
	return all
}

func timer(name string, since time.Time, length time.Duration, now time.Time, text string) *zmyv1.Timer {
	left := max(0, since.Add(length).Sub(now))
	return &zmyv1.Timer{
		Name: name, Since: timestamppb.New(since), Length: durationpb.New(length), Left: durationpb.New(left), Text: text,
	}
}
