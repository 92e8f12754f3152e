package manifest

import (
	"fmt"
	"strings"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// MetricTypeFault returns what is wrong with the metricType of an external trigger,
// and the path below the trigger where: KEDA refuses it, or the scaler does, as what
// stands in the metadata is another one. The problem is empty where nothing is wrong.
func (t *Trigger) MetricTypeFault() (path, problem string) {
	averageValue, value := decision.AverageValue.String(), decision.Value.String()
	live := t.MetricType
	switch live {
	case "":
		live = averageValue
	case averageValue, value:
	default:
		return "metricType", fmt.Sprintf("metricType %q: KEDA takes Value or AverageValue for an external trigger", live)
	}
	given := strings.TrimSpace(t.Metadata["metricType"])
	known := given == value || given == averageValue
	switch {
	case !known || given == live:
		return "", ""
	case t.MetricType == "":
		problem = fmt.Sprintf("metricType %q: the trigger has none beside its metadata, which is AverageValue: make them agree", given)
	default:
		problem = fmt.Sprintf("metricType %q: the trigger has metricType %q beside its metadata: make them agree", given, live)
	}
	return "metadata.metricType", problem
}
