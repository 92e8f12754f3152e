package lint

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rule is one thing that is looked for.
type Rule struct {
	// ID is stable: it stands in reports and in --skip.
	ID       string
	Severity Severity
	// Title says what is found, Reason why it matters, Fix what to do.
	Title, Reason, Fix string

	// Of the checks a rule has at most one. object looks at a ScaledObject, written
	// at a trigger as it stands there, parsed at one whose metadata is in order.
	// Rules without any are those that a source is asked for, or the reader knows.
	object  func(*object, say)
	written func(*subject, say)
	parsed  func(*subject, say)
}

// say reports a finding of a rule at a path of what is looked at.
type say func(path, format string, args ...any)

// Rules returns all rules, in the order of the reference.
func Rules() []Rule {
	return slices.Concat(formRules(), typeRules(), delayRules(), zeroRules(), stepRules(), queryRules(), answerRules())
}

// The rules that are not reported by a check of their own.
const (
	idManifest       = "manifest"
	idMetadata       = "metadata"
	idSeveralSeries  = "several-series"
	idPercent        = "percent"
	idQueryFails     = "query-fails"
	idNoData         = "no-data"
	idOutOfRange     = "out-of-range"
	idReplicasSteady = "replicas-never-change"
)

func formRules() []Rule {
	return []Rule{
		{
			ID: idManifest, Severity: Error,
			Title:  "the form of the manifest",
			Reason: "The API server or KEDA refuses the object, or kubectl cannot read it.",
			Fix:    "Write the value as the message says.",
		},
		{
			ID: idMetadata, Severity: Error,
			Title:   "broken trigger metadata",
			Reason:  "The scaler answers calls for the trigger with InvalidArgument, and KEDA cannot set up the HPA.",
			Fix:     "Write the value as the message says; all keys are in the trigger reference.",
			written: checkMetadata,
		},
	}
}

func typeRules() []Rule {
	return []Rule{
		{
			ID: "metric-type-mismatch", Severity: Error,
			Title:   "metricType at odds",
			Reason:  "The metricType beside the metadata is what the HPA goes by, the one inside is what the scaler goes by. A number meant for one and read as the other is a wrong size, so the scaler answers with an error.",
			Fix:     "Write the same metricType in both places; Value is recommended.",
			written: checkTypeMismatch,
		},
		{
			ID: "metric-type-missing", Severity: Warning,
			Title:   "metricType missing",
			Reason:  "KEDA does not tell an external scaler the metricType. Without it in the metadata the scaler depends on reading the ScaledObject. Where the trigger has none at all it is AverageValue, under which a rolling update can add workers that nobody needs.",
			Fix:     "Write metricType: Value beside the metadata and in it.",
			written: checkTypeMissing,
		},
		{
			ID: "value-cached", Severity: Error,
			Title:   "Value with useCachedMetrics",
			Reason:  "Under Value the number is a ratio to the replicas of the moment. A cached one is applied again to a fleet that has grown by it already, and the fleet overshoots.",
			Fix:     "Remove useCachedMetrics: the scaler answers from memory, and the calls cost Prometheus nothing.",
			written: checkCached,
		},
		{
			ID: "value-without-kubernetes", Severity: Error,
			Title:   "Value without Kubernetes",
			Reason:  "Under Value the number is a ratio to the pods that are ready. Without Kubernetes the count is old by a scrape and an interval, and the HPA applies the ratio to a fleet that has changed.",
			Fix:     "Use metricType: AverageValue in both places with --kubernetes=off, or let the scaler read Kubernetes.",
			written: checkValueOff,
		},
		{
			ID: "replicas-unknown", Severity: Error,
			Title:  "nothing tells the number of replicas",
			Reason: "Without Kubernetes and without replicasQuery the scaler cannot know the size of the fleet, and does not scale it.",
			Fix:    "Add a replicasQuery, or let the scaler read Kubernetes.",
			parsed: checkReplicasUnknown,
		},
		{
			ID: "shadow-decides", Severity: Error,
			Title:  "a shadow trigger that is not alone, and has a say",
			Reason: "Beside others a shadow trigger tells the lowest value, so that they decide. It can do so only where it can see in Kubernetes that there are others: else it tells the present size, and the HPA, which takes the largest metric, never shrinks the fleet. In a formula the lowest value has a say, too.",
			Fix:    "Let the scaler read Kubernetes, and keep the trigger out of the formula; or give it a ScaledObject without other triggers.",
			parsed: checkShadow,
		},
	}
}

func queryRules() []Rule {
	return []Rule{
		{
			ID: idSeveralSeries, Severity: Error,
			Title:  "a query that gives several series",
			Reason: "A query must give exactly one value. Of several none is taken: the data count as bad, and the fleet stays as it is.",
			Fix:    "Aggregate everything: avg(...), sum(...) or max(...) without by.",
			parsed: checkGrouped,
		},
		{
			ID: idPercent, Severity: Error,
			Title:  "a yield in percent",
			Reason: "The yield lies between 0 and 1. Larger numbers count as bad data, and the fleet stays as it is; a percentage of 1 or less is read as nearly idle.",
			Fix:    "Leave the factor of 100 out, or divide by it.",
			parsed: checkPercent,
		},
		{
			ID: "constant-replicas", Severity: Error,
			Title:  "a constant replicasQuery",
			Reason: "The number of workers enters every decision. One that does not change with the fleet makes each step count twice, or not at all.",
			Fix:    "Count the workers that are able to work, as in max(kube_deployment_status_replicas_ready{...}); or leave the key out.",
			parsed: checkConstant,
		},
		{
			ID: "guard-vanishes", Severity: Error,
			Title:  "a guardQuery that is missing while it holds for nothing",
			Reason: "An aggregation of a comparison gives nothing, rather than 0, while the comparison is true for no series. A missing guard forbids scaling down, so the fleet never shrinks.",
			Fix:    "Compare with bool inside, as in sum(x > bool 0); or append: or vector(0).",
			parsed: checkGuard,
		},
		{
			ID: "query-vanishes", Severity: Warning,
			Title:  "a query that is missing while a comparison is false",
			Reason: "A comparison drops what it is false for. The query then gives nothing, or an average over the rest: missing data, or a number about some of the workers.",
			Fix:    "Leave the comparison out; where it is meant as 0 or 1, compare with bool.",
			parsed: checkVanishing,
		},
	}
}

func answerRules() []Rule {
	return []Rule{
		{
			ID: idQueryFails, Severity: Error,
			Title:  "a query that the source refuses (with --source)",
			Reason: "Prometheus cannot evaluate the query: the data count as missing.",
			Fix:    "Try the query in Prometheus, and repair what it says.",
		},
		{
			ID: idNoData, Severity: Warning,
			Title:  "a query without an answer (with --source)",
			Reason: "Prometheus has no data for the query. Without a yield the fleet stays as it is; without a guard it does not shrink.",
			Fix:    "Compare the names and labels with those in Prometheus. A fleet that sleeps at zero has no yield: look again when it is awake.",
		},
		{
			ID: idOutOfRange, Severity: Error,
			Title:  "a query with an answer that is out of range (with --source)",
			Reason: "The yield lies between 0 and 1; all other queries give numbers that are finite and not negative. Anything else counts as bad data.",
			Fix:    "Repair the query; nothing is clamped for you.",
		},
		{
			ID: idReplicasSteady, Severity: Warning,
			Title:  "a replicasQuery that was the same for a day (with --source)",
			Reason: "A count that does not follow the fleet makes decisions wrong. It may also be that the fleet had one size all day.",
			Fix:    "Compare it with the replicas of the target: it should follow each change within a scrape.",
		},
	}
}

// CheckIDs returns which of some ids are those of no rule.
func CheckIDs(ids []string) error {
	var unknown []string
	for _, id := range ids {
		if !slices.ContainsFunc(Rules(), func(r Rule) bool { return r.ID == id }) {
			unknown = append(unknown, strconv.Quote(id))
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("no rule has the id %s", strings.Join(unknown, ", "))
	}
	return nil
}
