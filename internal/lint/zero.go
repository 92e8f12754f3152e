package lint

import (
	"slices"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
)

func zeroRules() []Rule {
	return []Rule{
		{
			ID: "zero-without-wake", Severity: Warning,
			Title:  "a minimum of 0 without wakeQuery",
			Reason: "At zero there are no workers whose yield could fall. Unless the yield is measured elsewhere, nothing wakes the fleet again. A ScaledObject without minReplicaCount has 0.",
			Fix:    "Add a wakeQuery about the demand, such as the lag of a topic; or write minReplicaCount: 1.",
			parsed: checkWake,
		},
		{
			ID: "fallback-zero", Severity: Error,
			Title:  "fallback.replicas: 0",
			Reason: "While a trigger is in error the fallback takes the fleet to its minimum, and with minReplicaCount: 0 KEDA goes to zero after the cooldown: an outage of the monitoring becomes one of the service.",
			Fix:    "Name the replicas that carry the usual load, with behavior: currentReplicasIfHigher; or leave fallback out, and the fleet stays as it is.",
			object: checkFallbackZero,
		},
		{
			ID: "fallback-wakes", Severity: Warning,
			Title:  "a fallback beside a minimum of 0",
			Reason: "While a fallback applies KEDA holds the object for active: an outage of the monitoring wakes fleets that have nothing to do.",
			Fix:    "Leave fallback out, and the fleet stays as it is; or write minReplicaCount: 1.",
			object: checkFallbackWakes,
		},
	}
}

func checkWake(s *subject, say say) {
	if !s.of.sleeps() || s.shadow() || s.given("wakeQuery") || slices.ContainsFunc(s.deciders(), wakes) {
		return
	}
	if s.of.IdleReplicas != nil {
		say("/spec.idleReplicaCount", "idleReplicaCount is 0, and there is no wakeQuery")
		return
	}
	say("/spec.minReplicaCount", "minReplicaCount is 0, and there is no wakeQuery")
}

// wakes reports whether a trigger can wake a fleet without workers. What measures
// the workers themselves cannot.
func wakes(t *manifest.Trigger) bool {
	_, query := t.Metadata["wakeQuery"]
	return t.Type != "cpu" && t.Type != "memory" && (!ours(t) || query)
}

func checkFallbackZero(o *object, say say) {
	f := o.Fallback
	switch {
	case f == nil || f.Replicas > 0:
	case o.sleeps():
		// KEDA goes to zero whatever the behavior is.
		say("spec.fallback.replicas", "fallback.replicas is 0: an outage stops the fleet")
	case f.Behavior == "static" || f.Behavior == "currentReplicasIfLower":
		say("spec.fallback.replicas", "fallback.replicas is 0: an outage takes the fleet to its minimum of %d", o.MinReplicas)
	}
}

func checkFallbackWakes(o *object, say say) {
	if f := o.Fallback; f != nil && f.Replicas > 0 && o.sleeps() {
		say("spec.fallback", "a fallback of %d replicas for a fleet that sleeps at zero: an outage wakes it", f.Replicas)
	}
}
