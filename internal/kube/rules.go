package kube

// Rule is one RBAC rule of a ClusterRole.
type Rule struct {
	Groups    []string
	Resources []string
	Verbs     []string
	// Why says what the rule is for, for people who review it.
	Why string
}

// Rules returns what the reader must be allowed to do in the whole cluster. It
// asks for nothing else, except what [CustomTargetRule] says.
func Rules() []Rule {
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
