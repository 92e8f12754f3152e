package engine

import (
	"context"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Answer is what KEDA is told, and what that rests on.
type Answer struct {
	Trigger  *trigger.Trigger
	Decision decision.Decision
	Told     decision.Told
	// MetricType is how the HPA reads the value.
	MetricType decision.MetricType
	// Fleet is the fleet at the time of the call.
	Fleet decision.Fleet
	// Failure is why queries of the newest evaluation were not answered.
	Failure string
	// Queries is what was asked for the newest evaluation, and what came of it; do
	// not change it.
	Queries []QueryState
}

// QueryState is one query of a trigger as it was asked last.
type QueryState struct {
	Role zmy.Role
	// Text is the trigger's own.
	Text string
	// Sent is the newest request that asked for it, together with whatever else it
	// asked for. It is empty until there was one.
	Sent string
	// Err is why there was no answer; nil when there was.
	Err error
}

// Answer answers one call. A trigger never seen before is evaluated within the
// caller's deadline; any other call is answered from memory. The error is one
// of this package's, or [trigger.Faults].
func (e *Engine) Answer(ctx context.Context, c Call) (Answer, error) {
	en, err := e.enter(c, 0)
	if err != nil {
		return Answer{}, err
	}
	return e.answer(ctx, en)
}

// Trigger returns what the metadata of a call asks for. It needs neither a source
// nor Kubernetes, and evaluates nothing. The error is [trigger.Faults].
func (e *Engine) Trigger(c Call) (*trigger.Trigger, error) {
	if en, _ := e.find(c, 0); en != nil {
		return en.trig, nil
	}
	trig, err := trigger.Parse(c.Metadata, e.Server())
	if err != nil {
		return nil, e.refused(c, err)
	}
	return trig, nil
}

func (e *Engine) answer(ctx context.Context, en *entry) (Answer, error) {
	e.await(ctx, en)
	a, err := e.known(en)
	if err != nil {
		return Answer{}, e.refused(Call{Namespace: en.key.namespace, Name: en.key.name}, err)
	}
	return a, nil
}

// known makes the answer from what is known, and waits for nothing.
func (e *Engine) known(en *entry) (Answer, error) {
	var view kube.View
	if e.cfg.Cluster != nil {
		view = e.cfg.Cluster.Look(e.noWait, en.key.namespace, en.key.name, en.metadata)
	}
	metric, err := e.metricType(en, view)
	if err != nil {
		return Answer{}, err
	}
	return e.compose(en, view, metric), nil
}

// compose makes the answer from the newest verdict and the live counts.
func (e *Engine) compose(en *entry, view kube.View, metric decision.MetricType) Answer {
	p := &en.trig.Policy
	v := en.verdict.Load()
	if v == nil {
		// Not evaluated yet: decide on a window in which nothing is known.
		at := p.Grid.At(e.cfg.Clock.Now().Add(-e.cfg.QueryOffset))
		v = &verdict{decision: decision.Decide(p, &zmy.Window{Grid: p.Grid}, en.fleet(view, decision.Reading{}), at)}
	}
	live := e.live(en, en.fleet(view, v.workers), metric)
	return Answer{
		Trigger: en.trig, Decision: v.decision, Told: decision.Tell(p, &v.decision, live),
		MetricType: metric, Fleet: live.Fleet, Failure: v.failure(), Queries: v.queries,
	}
}

// live puts together what is known now.
func (e *Engine) live(en *entry, fleet decision.Fleet, metric decision.MetricType) decision.Live {
	now := e.cfg.Clock.Now()
	en.sawZero(fleet, now)
	return decision.Live{Fleet: fleet, Now: now, MetricType: metric, FirstAsk: en.firstAsk, AtZero: en.zeroSince()}
}

// await waits for the first evaluation, but no longer than leaves the caller
// time to receive an answer.
func (e *Engine) await(ctx context.Context, en *entry) {
	if en.verdict.Load() != nil {
		return
	}
	wait := e.cfg.Timeout
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		wait = min(wait, left-max(50*time.Millisecond, left/10))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-en.ready:
	case <-ctx.Done():
	case <-timer.C:
	}
}

// metricType finds out how the HPA reads the value. The same number means very
// different things under the two types, so that a guess is worse than an error.
// For a moment after a trigger was edited, KEDA calls with metadata that the
// ScaledObject has no more: then the type it had counts.
func (e *Engine) metricType(en *entry, view kube.View) (decision.MetricType, error) {
	t := en.trig
	if view.MetricTypeKnown {
		en.lastType.Store(&view.MetricType)
	}
	switch {
	case view.MetricTypeConflict && !t.MetricTypeGiven:
		return 0, &MetricTypeError{Conflict: true}
	case view.MetricTypeKnown && t.MetricTypeGiven && view.MetricType != t.MetricType:
		return 0, &MetricTypeError{Given: t.MetricType, Live: view.MetricType}
	case view.MetricTypeKnown:
		return view.MetricType, nil
	case t.MetricTypeGiven:
		return t.MetricType, nil
	case e.cfg.Cluster == nil, view.Known && !view.Found:
		return decision.AverageValue, nil
	}
	if last := en.lastType.Load(); last != nil && !view.MetricTypeConflict {
		return *last, nil
	}
	return 0, &UnavailableError{
		Reason: decision.ReplicasUnknown,
		Detail: "the trigger's metricType is unknown: Kubernetes does not answer, or the ScaledObject has no trigger with this metadata; repeat metricType in the metadata",
	}
}
