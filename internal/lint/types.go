package lint

import (
	"strings"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// metricType returns what the HPA goes by.
func (s *subject) metricType() decision.MetricType {
	if s.MetricType == decision.Value.String() {
		return decision.Value
	}
	return decision.AverageValue
}

func checkMetadata(s *subject, say say) {
	if strings.TrimSpace(s.Metadata["scalerAddress"]) == "" {
		say("metadata", "scalerAddress: is required by KEDA: where it reaches the scaler, such as zmy-scaler.zmy-system:6000")
	}
	for _, f := range s.faults {
		say("metadata."+f.Key, "%s", f)
	}
}

func checkTypeMismatch(s *subject, say say) {
	if path, problem := s.MetricTypeFault(); problem != "" {
		say(path, "%s", problem)
	}
}

func checkTypeMissing(s *subject, say say) {
	switch {
	case s.given("metricType"):
	case s.MetricType == "":
		say("", "the trigger has no metricType, which is AverageValue")
	default:
		say("metadata", "the trigger has metricType %q, which its metadata does not repeat", s.MetricType)
	}
}

func checkCached(s *subject, say say) {
	if s.metricType() == decision.Value && s.UseCachedMetrics {
		say("useCachedMetrics", "useCachedMetrics with metricType Value: an old ratio is applied to a fleet that has changed since")
	}
}

func checkValueOff(s *subject, say say) {
	if s.metricType() == decision.Value && s.of.options.NoKubernetes {
		say("metricType", "metricType Value for a scaler without Kubernetes: it does not know how many pods are ready")
	}
}

func checkReplicasUnknown(s *subject, say say) {
	if s.of.options.NoKubernetes && !s.given("replicasQuery") {
		say("metadata", "no replicasQuery for a scaler without Kubernetes: the number of replicas is unknown")
	}
}

func checkShadow(s *subject, say say) {
	const key = "metadata.mode"
	others := len(s.of.Triggers) - 1
	switch {
	case !s.shadow() || others == 0:
	case s.of.options.NoKubernetes:
		say(key, "a shadow trigger beside %d that decide, for a scaler without Kubernetes: it does not know of them, tells the present size, and keeps the fleet from shrinking", others)
	case s.of.Formula != "":
		say(key, "a shadow trigger on a ScaledObject with scalingModifiers: its value, the lowest there is, goes into the formula")
	}
}
