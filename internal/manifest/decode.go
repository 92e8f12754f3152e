package manifest

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// KEDA's defaults.
const (
	defaultPollingInterval = 30
	defaultCooldownPeriod  = 300
)

// scaledObject reads a ScaledObject.
func (r *reader) scaledObject(top fields) *ScaledObject {
	spec := r.mapping(top.get("spec"))
	so := &ScaledObject{
		MinReplicas:           r.integer(spec.get("minReplicaCount"), 0, 0),
		MaxReplicas:           r.integer(spec.get("maxReplicaCount"), 1, defaultMaxReplicas),
		PollingInterval:       r.seconds(spec.get("pollingInterval"), 1, defaultPollingInterval),
		CooldownPeriod:        r.seconds(spec.get("cooldownPeriod"), 0, defaultCooldownPeriod),
		InitialCooldownPeriod: r.seconds(spec.get("initialCooldownPeriod"), 0, 0),
		Fallback:              r.fallback(spec.get("fallback")),
		places:                r.places,
	}
	metadata := r.mapping(top.get("metadata"))
	so.Namespace, so.Name = r.text(metadata.get("namespace")), r.text(metadata.get("name"))
	if so.Name == "" && r.text(metadata.get("generateName")) == "" {
		r.fail(metadata.get("name"), "is required")
	}
	r.target(so, spec.get("scaleTargetRef"))
	if so.MinReplicas > so.MaxReplicas {
		r.fail(spec.get("minReplicaCount"), "must not be above maxReplicaCount, %d", so.MaxReplicas)
	}
	if idle := spec.get("idleReplicaCount"); idle.value != nil {
		n := r.integer(idle, 0, 0)
		so.IdleReplicas = &n
		if n >= so.MinReplicas {
			r.fail(idle, "must be below minReplicaCount, %d", so.MinReplicas)
		}
	}
	advanced := r.mapping(spec.get("advanced"))
	so.Formula = r.text(r.mapping(advanced.get("scalingModifiers")).get("formula"))
	so.Behavior = r.behavior(r.mapping(advanced.get("horizontalPodAutoscalerConfig")).get("behavior"))

	triggers := r.list(spec.get("triggers"))
	if len(triggers) == 0 {
		r.fail(spec.get("triggers"), "must have at least one trigger")
	}
	for _, t := range triggers {
		so.Triggers = append(so.Triggers, r.trigger(t))
	}
	so.Faults = r.faults
	return so
}

func (r *reader) seconds(n node, low, otherwise int) time.Duration {
	return time.Duration(r.integer(n, low, otherwise)) * time.Second
}

func (r *reader) target(so *ScaledObject, n node) {
	target := r.mapping(n)
	so.TargetName, so.TargetKind = r.text(target.get("name")), r.text(target.get("kind"))
	r.requireText(target.get("name"))
	if so.TargetKind == "" {
		so.TargetKind = "Deployment"
	}
}

func (r *reader) fallback(n node) *Fallback {
	if n.value == nil {
		return nil
	}
	f := r.mapping(n)
	r.require(f.get("failureThreshold"))
	r.require(f.get("replicas"))
	return &Fallback{
		FailureThreshold: r.integer(f.get("failureThreshold"), 0, 0),
		Replicas:         r.integer(f.get("replicas"), 0, 0),
		Behavior: r.choice(f.get("behavior"),
			"static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower", "scalingModifiers"),
	}
}

func (r *reader) trigger(n node) Trigger {
	f := r.mapping(n)
	r.requireText(f.get("type"))
	r.require(f.get("metadata"))
	t := Trigger{
		Type: r.text(f.get("type")), Name: r.text(f.get("name")), MetricType: r.text(f.get("metricType")),
		UseCachedMetrics: r.boolean(f.get("useCachedMetrics")),
		Metadata:         map[string]string{},
		path:             n.path, places: r.places,
	}
	metadata := r.mapping(f.get("metadata"))
	for _, name := range metadata.names {
		entry := metadata.get(name)
		if entry.value == nil {
			r.fail(entry, "must be a string: give it a value, or leave the key out")
			continue
		}
		t.Metadata[name] = r.text(entry)
	}
	return t
}

// behavior reads what the HPA is told. As in Kubernetes, what one direction does
// not say is filled in for itself.
func (r *reader) behavior(n node) Behavior {
	b := DefaultBehavior()
	if n.value == nil {
		return b
	}
	b.Given = true
	f := r.mapping(n)
	b.Up = r.rules(f.get("scaleUp"), b.Up)
	b.Down = r.rules(f.get("scaleDown"), b.Down)
	return b
}

func (r *reader) rules(n node, rules Rules) Rules {
	f := r.mapping(n)
	if window := f.get("stabilizationWindowSeconds"); window.value != nil {
		rules.Window, rules.WindowGiven = r.seconds(window, 0, 0), true
		if rules.Window > longestWindow {
			r.fail(window, "must be at most %d", longestWindow/time.Second)
		}
	}
	if policies := r.list(f.get("policies")); len(policies) > 0 {
		rules.Policies = nil
		for _, p := range policies {
			rules.Policies = append(rules.Policies, r.policy(p))
		}
	}
	rules.Select = r.choice(f.get("selectPolicy"), SelectMax, SelectMin, SelectDisabled)
	if tolerance := f.get("tolerance"); tolerance.value != nil {
		q, err := resource.ParseQuantity(tolerance.value.Value)
		if err != nil || q.Sign() < 0 {
			r.fail(tolerance, "must be a quantity from 0, such as 0.05, not %s", describe(tolerance.value))
		} else {
			rules.Tolerance = q.AsApproximateFloat64()
		}
	}
	return rules
}

func (r *reader) policy(n node) Policy {
	f := r.mapping(n)
	for _, name := range []string{"type", "value", "periodSeconds"} {
		r.require(f.get(name))
	}
	value := r.integer(f.get("value"), 1, 1)
	p := Policy{Period: r.seconds(f.get("periodSeconds"), 1, 1)}
	if p.Period > longestPeriod {
		r.fail(f.get("periodSeconds"), "must be at most %d", longestPeriod/time.Second)
	}
	if r.choice(f.get("type"), typePods, typePercent) == typePods {
		p.Pods = value
	} else {
		p.Percent = value
	}
	return p
}
