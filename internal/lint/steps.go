package lint

import (
	"slices"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/autoscaler"
	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

func stepRules() []Rule {
	return []Rule{
		{
			ID: "stranded", Severity: Warning,
			Title:  "scale-down policies that leave the fleet stranded inside the hold band",
			Reason: "The scaler asks for a smaller size while the yield is above scaleDownThreshold. Every step the HPA takes lowers the yield. Where its policies allow only small ones, the yield is back in the hold band long before the fleet is as small as it could be, and there it stays.",
			Fix:    "Let the HPA take the whole step, with a policy of 100 percent: scaleDownDelay and scaleDownMode are the care. Or narrow the hold band with a lower scaleDownThreshold.",
			parsed: checkStranded,
		},
		{
			ID: "step-in-tolerance", Severity: Warning,
			Title:  "steps lost in the HPA's tolerance",
			Reason: "The HPA ignores a change of up to a tenth of the fleet, unless its behavior has another tolerance. A step that is smaller never happens.",
			Fix:    "Set a smaller tolerance under behavior.scaleUp and behavior.scaleDown (Kubernetes 1.35 or later), or move the thresholds or bounds apart.",
			parsed: checkTolerance,
		},
		{
			ID: "tolerance-mismatch", Severity: Error,
			Title:  "hpaTolerance at odds with the HPA's tolerance",
			Reason: "The scaler makes its steps large enough for the tolerance that it knows. Where the HPA has a larger one, they are lost.",
			Fix:    "Remove hpaTolerance where the scaler reads Kubernetes; else repeat the tolerance of the behavior in it.",
			parsed: checkToleranceKnown,
		},
	}
}

const (
	behaviorPath = "/spec.advanced.horizontalPodAutoscalerConfig.behavior"
	// strandedFactor is how many times the size wanted a fleet may stop at. The
	// last steps to a small size are worth little.
	strandedFactor = 2
	// largeFleet is a size from which the smallest step is more than ten workers.
	largeFleet = 100
	// largestFleet is well below the numbers at which the HPA stops counting.
	largestFleet = 1_000_000
)

// checkStranded lets a full fleet go idle: to the yield halfway between
// scaleDownThreshold and 1.
func checkStranded(s *subject, say say) {
	p := &s.trigger.Policy
	down := s.of.Behavior.Down
	if !s.decides() || down.Disabled() || whole(down, s.of.full()) || s.unknown("zmyQuery", "zmyLookback", "scaleDownThreshold", "scaleUpThreshold", "scaleDownMode", "triggerThreshold") {
		return
	}
	yield := (1 + p.Down) / 2
	d, ok := s.descend(1 - yield)
	settled := p.DownDelay + p.Lookback + down.Window + longest(down.Policies)
	if ok && d.real.size > strandedFactor*d.free.size && d.real.last+settled < descentLasts {
		say(behaviorPath+".scaleDown.policies", "from %d replicas at a yield of %.3g the fleet could go to %d; with these policies the yield is back in the hold band at %d, and there it stays",
			s.of.full(), yield, d.free.size, d.real.size)
	}
}

// whole reports whether the policies let a fleet of a size go in one step, so that
// there is nothing to replay.
func whole(r manifest.Rules, size int) bool {
	all := func(p manifest.Policy) bool { return p.Percent >= 100 || p.Pods >= size }
	if r.Select == manifest.SelectMin {
		return !slices.ContainsFunc(r.Policies, func(p manifest.Policy) bool { return !all(p) })
	}
	return slices.ContainsFunc(r.Policies, all)
}

// longest returns the longest period of some policies.
func longest(policies []manifest.Policy) time.Duration {
	var d time.Duration
	for _, p := range policies {
		d = max(d, p.Period)
	}
	return d
}

func checkTolerance(s *subject, say say) {
	if !s.decides() || s.unknown("scaleDownThreshold", "scaleUpThreshold", "triggerThreshold", "scaleDownMode", "hpaTolerance") {
		return
	}
	p, tol := &s.trigger.Policy, s.tolerance()
	const hair = 1e-6
	if s.first(p.Up-hair).Reason == decision.UpWithinTolerance {
		say("metadata", "a fleet whose yield has just fallen below scaleUpThreshold needs %.3g times its size, which the HPA ignores: it ignores ratios up to %.3g", (1-p.Up)/p.Target, 1+tol.Up)
	}
	if s.first(p.Down+hair).Reason == decision.DownWithinTolerance {
		say("metadata", "the step down from a yield just above scaleDownThreshold is one that the HPA ignores: it ignores ratios from %.3g", 1-tol.Down)
	}
	low, high := max(1, s.of.MinReplicas), s.of.MaxReplicas
	if float64(high) <= float64(low)*(1+tol.Up) && high > low {
		say("/spec.maxReplicaCount", "from %d the HPA never grows the fleet to %d: it ignores ratios up to %.3g", low, high, 1+tol.Up)
	}
	// A larger tolerance lets no fleet grow at all.
	if size := min(high, largestFleet); high > largeFleet && tol.Up >= decision.DefaultTolerance && float64(size)*tol.Up <= largestFleet {
		say("/spec.maxReplicaCount", "in a fleet of %d the HPA takes no step up of less than %d: it ignores ratios up to %.3g", size, smallest(size, tol), 1+tol.Up)
	}
}

// tolerance returns what the scaler goes by.
func (s *subject) tolerance() decision.Tolerance {
	if s.trigger.ToleranceGiven {
		return s.trigger.Tolerance
	}
	return autoscaler.Tolerance(s.of.Behavior)
}

// smallest returns the smallest number of workers that the HPA adds to a fleet.
func smallest(size int, tol decision.Tolerance) int {
	n := max(1, int(float64(float64(size)*tol.Up)))
	for decision.HPAAverageValue(int64(size+n), 1, size, tol) == size {
		n++
	}
	return n
}

func checkToleranceKnown(s *subject, say say) {
	if s.unknown("hpaTolerance") {
		return
	}
	hpa, known := autoscaler.Tolerance(s.of.Behavior), s.trigger.Tolerance
	if !s.trigger.ToleranceGiven {
		known = decision.Tolerance{Down: decision.DefaultTolerance, Up: decision.DefaultTolerance}
		if !s.of.options.NoKubernetes {
			return
		}
	}
	for _, direction := range []struct {
		name       string
		hpa, known float64
	}{{"scaleUp", hpa.Up, known.Up}, {"scaleDown", hpa.Down, known.Down}} {
		path := behaviorPath + "." + direction.name + ".tolerance"
		if s.of.Has(path[1:]) && direction.hpa != direction.known {
			say(path, "%s has a tolerance of %g, and the scaler goes by %g", direction.name, direction.hpa, direction.known)
		}
	}
}
