package trigger_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

// scaledObject is what the samples are checked for.
type scaledObject struct {
	Kind string
	Spec struct {
		MinReplicaCount *int `yaml:"minReplicaCount"`
		MaxReplicaCount *int `yaml:"maxReplicaCount"`
		Fallback        *struct {
			Replicas         int
			FailureThreshold int `yaml:"failureThreshold"`
		}
		Advanced struct {
			HPA struct {
				Behavior struct {
					ScaleDown rules `yaml:"scaleDown"`
					ScaleUp   rules `yaml:"scaleUp"`
				}
			} `yaml:"horizontalPodAutoscalerConfig"`
		}
		Triggers []kedaTrigger
	}
}

type kedaTrigger struct {
	Type       string
	MetricType string `yaml:"metricType"`
	Metadata   map[string]string
}

type rules struct {
	Window   *int `yaml:"stabilizationWindowSeconds"`
	Policies []struct {
		Type   string
		Value  int
		Period int `yaml:"periodSeconds"`
	}
}

// TestSamples reads every sample as KEDA's user would apply it, with the code
// that reads triggers.
func TestSamples(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../config/samples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 6 {
		t.Fatalf("only %d samples: %v", len(files), files)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			found := 0
			for _, doc := range documents(t, file) {
				var so scaledObject
				if err := doc.Decode(&so); err != nil {
					t.Fatal(err)
				}
				if so.Kind == "ScaledObject" {
					found++
					checkSpec(t, so)
					checkTriggers(t, so)
					checkComments(t, doc)
				}
			}
			if found != 1 {
				t.Errorf("%d ScaledObjects, want 1", found)
			}
		})
	}
}

func documents(t *testing.T, file string) []*yaml.Node {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var docs []*yaml.Node
	for decoder := yaml.NewDecoder(f); ; {
		var doc yaml.Node
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return docs
		}
		if err != nil {
			t.Fatalf("document %d: %v", len(docs)+1, err)
		}
		docs = append(docs, doc.Content[0])
	}
}

func checkSpec(t *testing.T, so scaledObject) {
	t.Helper()
	low, high := so.Spec.MinReplicaCount, so.Spec.MaxReplicaCount
	if low == nil || high == nil || *low < 0 || *high <= *low {
		t.Error("minReplicaCount and maxReplicaCount must be written, the second above the first")
	}
	if f := so.Spec.Fallback; f != nil {
		if f.Replicas <= 0 || f.FailureThreshold <= 0 {
			t.Errorf("fallback %+v: replicas 0 lets an outage stop the fleet", *f)
		}
		if low != nil && *low == 0 {
			t.Error("a fallback beside scale-to-zero lets an outage wake the fleet")
		}
	}
	// In shadow another trigger decides, and that one may need the HPA's window.
	shadow := slices.ContainsFunc(so.Spec.Triggers, func(t kedaTrigger) bool { return t.Metadata["mode"] == "shadow" })
	behavior := so.Spec.Advanced.HPA.Behavior
	for direction, r := range map[string]rules{"scaleDown": behavior.ScaleDown, "scaleUp": behavior.ScaleUp} {
		if r.Window == nil || *r.Window != 0 && !shadow {
			t.Errorf("%s.stabilizationWindowSeconds must be 0: the trigger has delays of its own, and the two add up", direction)
		}
		if len(r.Policies) == 0 {
			t.Errorf("%s has no policies", direction)
		}
		for _, p := range r.Policies {
			if p.Type != "Pods" && p.Type != "Percent" || p.Value <= 0 || p.Period <= 0 || p.Period > 1800 {
				t.Errorf("%s: the API server refuses the policy %+v", direction, p)
			}
		}
	}
}

func checkTriggers(t *testing.T, so scaledObject) {
	t.Helper()
	found := 0
	for _, tr := range so.Spec.Triggers {
		if tr.Type != "external" && tr.Type != "external-push" {
			continue
		}
		found++
		if tr.MetricType != "Value" || tr.Metadata["metricType"] != tr.MetricType {
			t.Errorf("metricType %q, in the metadata %q: both must be Value", tr.MetricType, tr.Metadata["metricType"])
		}
		if tr.Metadata["scalerAddress"] == "" {
			t.Error("scalerAddress is missing: KEDA needs it")
		}
		if _, err := trigger.Parse(tr.Metadata, trigger.Server{Interval: 15 * time.Second}); err != nil {
			t.Error(err)
		}
		if tr.Metadata["wakeQuery"] != "" && tr.Type != "external-push" {
			t.Error("a trigger that wakes should push")
		}
	}
	if found != 1 {
		t.Errorf("%d triggers of this scaler, want 1", found)
	}
}

// checkComments wants a reason for every choice: before every key of the trigger,
// and before every number of the spec.
func checkComments(t *testing.T, doc *yaml.Node) {
	t.Helper()
	spec := field(doc, "spec")
	explained(t, "spec", spec, "scaleTargetRef", "advanced", "triggers")
	behavior := field(field(field(spec, "advanced"), "horizontalPodAutoscalerConfig"), "behavior")
	for _, direction := range []string{"scaleDown", "scaleUp"} {
		rules := field(behavior, direction)
		explained(t, direction, rules, "policies", "selectPolicy")
		if policies := field(rules, "policies"); policies != nil && policies.Content[0].HeadComment == "" {
			t.Errorf("%s.policies: no comment before the first one", direction)
		}
	}
	for _, tr := range field(spec, "triggers").Content {
		if field(tr, "type").Value != "cpu" {
			explained(t, "metadata", field(tr, "metadata"))
			explained(t, "trigger", tr, "type", "metadata")
		}
	}
}

// explained wants a comment before each key of a mapping but the given ones.
func explained(t *testing.T, where string, mapping *yaml.Node, not ...string) {
	t.Helper()
	if mapping == nil {
		t.Errorf("%s is missing", where)
		return
	}
	skip := strings.Join(not, " ") + " "
	for i := 0; i < len(mapping.Content); i += 2 {
		if key := mapping.Content[i]; key.HeadComment == "" && !strings.Contains(skip, key.Value+" ") {
			t.Errorf("line %d: no comment before %s.%s", key.Line, where, key.Value)
		}
	}
}

// field returns the value of a key of a mapping, nil without one.
func field(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}
