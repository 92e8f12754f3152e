package backtest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/simulate"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// Plan is a ScaledObject and the trigger of it that is replayed.
type Plan struct {
	Object  *manifest.ScaledObject
	Trigger *trigger.Trigger
	// Metadata is the trigger's, as the manifest has it.
	Metadata   map[string]string
	MetricType decision.MetricType
	Push       bool
	// Notes say what is not replayed.
	Notes []string
}

// Environment is what surrounds a fleet and stands in no manifest.
type Environment struct {
	// StartDelay is how long a new worker takes to become ready.
	StartDelay time.Duration
	// QueryOffset is the scaler's.
	QueryOffset time.Duration
}

// NewPlan finds the trigger to replay: the only ScaledObject in the files that has
// one of ours, or the one with the name, which may have a namespace before it.
func NewPlan(files []*manifest.File, name string, server trigger.Server) (*Plan, error) {
	var objects []*manifest.ScaledObject
	var names []string
	var errs []error
	for _, f := range files {
		for _, b := range f.Broken {
			errs = append(errs, b)
		}
		for _, so := range f.Objects {
			full := so.Namespace + "/" + so.Name
			if choose(so) != nil && (name == "" || name == so.Name || name == full) {
				objects, names = append(objects, so), append(names, strings.TrimPrefix(full, "/"))
			}
		}
	}
	switch {
	case len(errs) > 0:
		return nil, errors.Join(errs...)
	case len(objects) == 0 && name != "":
		return nil, fmt.Errorf("no ScaledObject %q with a trigger of this scaler: an external one with a zmyQuery", name)
	case len(objects) == 0:
		return nil, errors.New("no ScaledObject with a trigger of this scaler: an external one with a zmyQuery")
	case len(objects) > 1:
		return nil, fmt.Errorf("several ScaledObjects, %s: choose one with --object", strings.Join(names, ", "))
	}
	return newPlan(objects[0], server)
}

func newPlan(so *manifest.ScaledObject, server trigger.Server) (*Plan, error) {
	var errs []error
	for _, f := range so.Faults {
		errs = append(errs, f)
	}
	t := choose(so)
	p := &Plan{Object: so, Metadata: t.Metadata, Push: t.Type == "external-push"}
	if t.MetricType == decision.Value.String() {
		p.MetricType = decision.Value
	}
	if path, problem := t.MetricTypeFault(); problem != "" {
		errs = append(errs, manifest.Fault{Position: t.Where(path), Problem: problem})
	}
	var err error
	if p.Trigger, err = trigger.ParseManifest(t.Metadata, server); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", t.Where("metadata"), err))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	p.note()
	return p, nil
}

// choose returns the first trigger of ours, an active one before those in shadow
// mode; nil where there is none.
func choose(so *manifest.ScaledObject) *manifest.Trigger {
	var shadow *manifest.Trigger
	for i := range so.Triggers {
		t := &so.Triggers[i]
		_, ours := t.Metadata["zmyQuery"]
		_, fromEnv := t.Metadata["zmyQueryFromEnv"]
		switch {
		case !t.External() || !ours && !fromEnv:
		case t.Metadata["mode"] != "shadow":
			return t
		case shadow == nil:
			shadow = t
		}
	}
	return shadow
}

// note says what a replay leaves out.
func (p *Plan) note() {
	note := func(format string, args ...any) { p.Notes = append(p.Notes, fmt.Sprintf(format, args...)) }
	if n := len(p.Object.Triggers); n > 1 {
		note("the ScaledObject has %d triggers: only %q is replayed, as if it were alone", n, p.Trigger.MetricName)
	}
	if p.Trigger.Policy.Shadow {
		note("mode: shadow is replayed as if it were active")
	}
	if len(p.Trigger.FromEnv) > 0 {
		note("%s: what stands in the environment of the workers is not known, and replayed with the default", strings.Join(p.Trigger.FromEnv, ", "))
	}
	if p.Object.Formula != "" {
		note("scalingModifiers is not replayed")
	}
}

// Loop is the loop that the ScaledObject lives in under a demand.
func (p *Plan) Loop(d simulate.Demand, r *simulate.Recorded, env Environment) simulate.Loop {
	so := p.Object
	return simulate.Loop{
		Demand: d, Recorded: r, StartDelay: env.StartDelay, Replicas: p.Begin(d),
		Min: so.MinReplicas, Max: so.MaxReplicas, Idle: so.IdleReplicas,
		Polling: so.PollingInterval, Cooldown: so.CooldownPeriod, Behavior: so.Behavior, Push: p.Push,
		Grid: p.Trigger.Policy.Grid, QueryOffset: env.QueryOffset,
	}
}

// Begin is the size a replay begins with: the one at which the first demand is
// the target load, within the bounds. It is the same for all that is compared.
func (p *Plan) Begin(d simulate.Demand) int {
	if len(d.Busy) == 0 {
		return p.Object.MinReplicas
	}
	n := math.Ceil(min(d.Busy[0]/p.Trigger.Policy.Target, math.MaxInt32))
	return max(1, p.Object.MinReplicas, min(int(n), p.Object.MaxReplicas))
}

// Ours is the scaler with the plan's trigger.
func (p *Plan) Ours(from time.Time) *simulate.Law {
	return simulate.NewLaw(p.Trigger, p.MetricType, from)
}

// Baseline is KEDA's plain trigger as a user first writes it: the same signal
// against triggerThreshold.
func (p *Plan) Baseline() *simulate.Plain {
	d := &p.Trigger.Policy
	return simulate.NewPlain(d.Grid, d.Lookback, d.TargetMilli, d.HasWake)
}

// WithoutHistory returns the plan for a demand that comes with nothing else: no
// CPU and no guard was measured, and work that waits is what wakes the fleet.
func (p *Plan) WithoutHistory() *Plan {
	c, t := *p, *p.Trigger
	c.Trigger, c.Notes = &t, slices.Clone(p.Notes)
	if t.Policy.HasCPU || t.Policy.HasGuard {
		c.Notes = append(c.Notes, "a demand curve says nothing about cpuQuery and guardQuery: replayed without them")
	}
	t.Policy.HasCPU, t.Policy.HasGuard = false, false
	return &c
}
