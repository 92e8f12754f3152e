package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFaults changes one thing of a good manifest at a time.
func TestFaults(t *testing.T) {
	t.Parallel()
	const spec = "  scaleTargetRef: {name: payment}\n"
	const behavior = "  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: "
	tests := []struct {
		name     string
		old, new string
		want     []string
	}{
		{name: "no name", old: "name: payment, namespace", new: "namespace", want: []string{"3:1: metadata.name: is required"}},
		{name: "a name to be generated", old: "{name: payment, n", new: "{generateName: a-, n"},
		{name: "no target", old: spec, want: []string{"4:1: spec.scaleTargetRef.name: is required"}},
		{name: "a target without a name", old: spec, new: "  scaleTargetRef: {kind: Deployment}\n", want: []string{"5:3: spec.scaleTargetRef.name: is required"}},
		{name: "a target that is a list", old: spec, new: "  scaleTargetRef: [a]\n", want: []string{"5:3: spec.scaleTargetRef: must be a mapping, not a list", "5:3: spec.scaleTargetRef.name: is required"}},
		{name: "a spec that is text", old: "spec:\n" + spec, new: "spec: |\n" + spec, want: []string{
			"4:1: spec: must be a mapping, not \"scaleTargetRef: {name: payment}\\ntriggers:\\n- type: external\\n  metadata:\\n    zmyQuery: vector(1)\\n\"",
			"4:1: spec.scaleTargetRef.name: is required", "4:1: spec.triggers: must have at least one trigger",
		}},
		{name: "a number in quotes", old: spec, new: spec + "  minReplicaCount: '1'\n", want: []string{`6:3: spec.minReplicaCount: must be a whole number from 0, not "1"`}},
		{name: "a fraction", old: spec, new: spec + "  maxReplicaCount: 1.5\n", want: []string{`6:3: spec.maxReplicaCount: must be a whole number from 1, not "1.5"`}},
		{name: "a number too large", old: spec, new: spec + "  maxReplicaCount: 3000000000\n", want: []string{`6:3: spec.maxReplicaCount: must be a whole number from 1, not "3000000000"`}},
		{name: "a list for a number", old: spec, new: spec + "  pollingInterval: [1]\n", want: []string{`6:3: spec.pollingInterval: must be a whole number from 1, not a list`}},
		{name: "null is nothing", old: spec, new: spec + "  minReplicaCount: null\n  fallback:\n  advanced: ~\n"},
		{name: "the minimum above the maximum", old: spec, new: spec + "  minReplicaCount: 101\n", want: []string{"6:3: spec.minReplicaCount: must not be above maxReplicaCount, 100"}},
		{name: "idle at the minimum", old: spec, new: spec + "  idleReplicaCount: 0\n", want: []string{"6:3: spec.idleReplicaCount: must be below minReplicaCount, 0"}},
		{name: "half a fallback", old: spec, new: spec + "  fallback: {replicas: 1, behavior: none}\n", want: []string{
			"6:3: spec.fallback.failureThreshold: is required",
			`6:27: spec.fallback.behavior: must be one of static, currentReplicas, currentReplicasIfHigher, currentReplicasIfLower, scalingModifiers, not "none"`,
		}},
		{name: "no triggers", old: "  triggers:\n  - type: external\n    metadata:\n      zmyQuery: vector(1)\n", new: "  triggers: []\n", want: []string{"6:3: spec.triggers: must have at least one trigger"}},
		{name: "an empty trigger", old: "  - type: external\n    metadata:\n      zmyQuery: vector(1)\n", new: "  -\n", want: []string{
			"7:4: spec.triggers[0].type: is required", "7:4: spec.triggers[0].metadata: is required",
		}},
		{name: "a bare number in the metadata", old: "vector(1)", new: "vector(1)\n      scaleUpDelay: 30", want: []string{`10:7: spec.triggers[0].metadata.scaleUpDelay: must be a string: write it in quotes, "30"`}},
		{name: "a bare word that was a boolean in YAML 1.1", old: "vector(1)", new: "vector(1)\n      gracefulLanding: yes", want: []string{`10:7: spec.triggers[0].metadata.gracefulLanding: must be a string: write it in quotes, "yes"`}},
		{name: "numbers and words in quotes, and blocks", old: "vector(1)", new: "vector(1)\n      a: '30'\n      b: \"yes\"\n      c: !!str 1\n      d: |\n        1\n      e: 30s"},
		{name: "an empty key in the metadata", old: "vector(1)", new: "", want: []string{`9:7: spec.triggers[0].metadata.zmyQuery: must be a string: give it a value, or leave the key out`}},
		{name: "a mapping in the metadata", old: "vector(1)", new: "{a: b}", want: []string{`9:7: spec.triggers[0].metadata.zmyQuery: must be a string, not a mapping`}},
		{name: "twice", old: "vector(1)", new: "vector(1)\n      zmyQuery: vector(0)", want: []string{"10:7: spec.triggers[0].metadata.zmyQuery: is there twice: keep one"}},
		{name: "no boolean", old: "external\n", new: "external\n    useCachedMetrics: 1\n", want: []string{`8:5: spec.triggers[0].useCachedMetrics: must be true or false, not "1"`}},
		{name: "a window too long", old: spec, new: spec + behavior + "{stabilizationWindowSeconds: 3601}}}}\n", want: []string{"6:69: spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds: must be at most 3600"}},
		{name: "a policy of nothing", old: spec, new: spec + behavior + "{policies: [{}]}}}}\n", want: []string{
			"6:80: spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.policies[0].type: is required",
			"6:80: spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.policies[0].value: is required",
			"6:80: spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.policies[0].periodSeconds: is required",
		}},
		{name: "a period too long", old: spec, new: spec + behavior + "{policies: [{type: Pods, value: 1, periodSeconds: 1801}]}}}}\n", want: []string{
			"6:103: spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.policies[0].periodSeconds: must be at most 1800",
		}},
		{name: "a tolerance below 0", old: spec, new: spec + behavior + "{tolerance: -1}}}}\n", want: []string{
			`6:69: spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.tolerance: must be a quantity from 0, such as 0.05, not "-1"`,
		}},
		{name: "anchors, aliases and merges", old: "      zmyQuery: vector(1)\n", new: "      &m\n      zmyQuery: &q vector(1)\n  - type: external\n    metadata: {<<: *m, cpuQuery: *q}\n  - type: external\n    metadata: {<<: [*m, {a: b}]}\n"},
		{name: "a merge of itself", old: "    metadata:\n", new: "    metadata: &m\n      <<: *m\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(plain, tt.old, tt.new, 1)
			if text == plain {
				t.Fatalf("%q is not in the manifest", tt.old)
			}
			f := read(t, text)
			if len(f.Objects) != 1 {
				t.Fatalf("%d objects, %v", len(f.Objects), f.Broken)
			}
			var want []string
			for _, w := range tt.want {
				want = append(want, "x.yaml:"+w)
			}
			if diff := cmp.Diff(want, lines(f.Objects[0].Faults)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMergedValues(t *testing.T) {
	t.Parallel()
	so := one(t, strings.Replace(plain, "      zmyQuery: vector(1)\n", "      &m\n      zmyQuery: &q vector(1)\n      source: a\n  - type: external\n    metadata: {<<: *m, cpuQuery: *q, source: b}\n", 1))
	want := map[string]string{"zmyQuery": "vector(1)", "cpuQuery": "vector(1)", "source": "b"}
	if diff := cmp.Diff(want, so.Triggers[1].Metadata); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
