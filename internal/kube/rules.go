package kube

import (
	"fmt"
	"strings"
)

// Rule is one RBAC rule of a ClusterRole.
type Rule struct {
	Groups    []string
	Resources []string
	Verbs     []string
	// Why says what the rule is for, for people who review it.
	Why string
}

// Rules returns what the scaler must be allowed to do in the whole cluster: to read
// what a [Reader] reads, and to write Events. It asks for nothing else, except what
// [CustomTargetRule] says.
func Rules() []Rule {
	return append(readingRules(), Rule{
		Groups:    []string{""},
		Resources: []string{"events"},
		Verbs:     []string{"create", "patch"},
		Why:       "to tell on a ScaledObject what happens to its trigger",
	})
}

func readingRules() []Rule {
	return []Rule{
		{
			Groups:    []string{"keda.sh"},
			Resources: []string{"scaledobjects"},
			Verbs:     []string{"get", "list", "watch"},
			Why:       "the trigger's metricType, the bounds, the pause annotations and the target",
		},
		{
			Groups:    []string{"autoscaling"},
			Resources: []string{"horizontalpodautoscalers"},
			Verbs:     []string{"list", "watch"},
			Why:       "the HPA's tolerance and when it last scaled",
		},
		{
			Groups:    []string{"apps"},
			Resources: []string{"deployments", "statefulsets", "replicasets"},
			Verbs:     []string{"list", "watch"},
			Why:       "the replicas and the pod selector of a target",
		},
		{
			Groups:    []string{""},
			Resources: []string{"pods"},
			Verbs:     []string{"list", "watch"},
			Why:       "how many pods of a target are running and ready",
		},
		{
			Groups:    []string{"*"},
			Resources: []string{"*/scale"},
			Verbs:     []string{"get"},
			Why:       "the replicas and the pod selector of a target of any other kind",
		},
	}
}

// CustomTargetRule returns the optional rule for a scale target outside of
// apps/v1. With it a change of the target is seen at once, without it within a
// refresh interval.
func CustomTargetRule(group, resource string) Rule {
	return Rule{
		Groups:    []string{group},
		Resources: []string{resource},
		Verbs:     []string{"list", "watch"},
		Why:       "to see changes of this kind of target at once (optional)",
	}
}

// YAML returns the rule as an item of a ClusterRole's rules, with its reason as
// a comment before it.
func (r Rule) YAML() string {
	return fmt.Sprintf("# %s\n- apiGroups: [%s]\n  resources: [%s]\n  verbs: [%s]\n",
		r.Why, quoted(r.Groups), quoted(r.Resources), quoted(r.Verbs))
}

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(out, ", ")
}
