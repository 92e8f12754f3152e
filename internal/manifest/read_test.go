package manifest

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func read(t *testing.T, text string) *File {
	t.Helper()
	f, err := Read("x.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// one returns the only object in a text, which must be without faults.
func one(t *testing.T, text string) *ScaledObject {
	t.Helper()
	f := read(t, text)
	if len(f.Objects) != 1 || len(f.Broken) > 0 || len(f.Objects[0].Faults) > 0 {
		t.Fatalf("want one good object, got %+v", f)
	}
	return f.Objects[0]
}

const plain = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: payment, namespace: shop}
spec:
  scaleTargetRef: {name: payment}
  triggers:
  - type: external
    metadata:
      zmyQuery: vector(1)
`

func TestDefaults(t *testing.T) {
	t.Parallel()
	want := &ScaledObject{
		Namespace: "shop", Name: "payment", TargetKind: "Deployment", TargetName: "payment",
		MinReplicas: 0, MaxReplicas: 100, PollingInterval: 30 * time.Second, CooldownPeriod: 300 * time.Second,
		Behavior: Behavior{
			Up: Rules{
				Policies: []Policy{{Pods: 4, Period: 15 * time.Second}, {Percent: 100, Period: 15 * time.Second}},
				Select:   "Max", Tolerance: 0.1,
			},
			Down: Rules{
				Window: 300 * time.Second, Policies: []Policy{{Percent: 100, Period: 15 * time.Second}},
				Select: "Max", Tolerance: 0.1,
			},
		},
		Triggers: []Trigger{{Type: "external", Metadata: map[string]string{"zmyQuery": "vector(1)"}}},
	}
	if diff := cmp.Diff(want, one(t, plain), cmpopts.IgnoreUnexported(ScaledObject{}, Trigger{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEverything(t *testing.T) {
	t.Parallel()
	got := one(t, `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: a}
spec:
  scaleTargetRef: {name: b, kind: StatefulSet}
  minReplicaCount: 2
  maxReplicaCount: 9
  idleReplicaCount: 0
  pollingInterval: 15
  cooldownPeriod: 60
  initialCooldownPeriod: 5
  fallback: {failureThreshold: 3, replicas: 4, behavior: currentReplicasIfHigher}
  advanced:
    scalingModifiers: {formula: a + b}
    horizontalPodAutoscalerConfig:
      behavior:
        scaleDown:
          stabilizationWindowSeconds: 0
          policies: [{type: Pods, value: 5, periodSeconds: 60}, {type: Percent, value: 50, periodSeconds: 30}]
          selectPolicy: Min
          tolerance: "0.05"
        scaleUp: {stabilizationWindowSeconds: 30, selectPolicy: Disabled, tolerance: 50m}
  triggers:
  - {type: cpu, name: c, metricType: Utilization, metadata: {value: "60"}}
  - {type: external-push, useCachedMetrics: true, metadata: {a: ""}}
`)
	idle := 0
	want := &ScaledObject{
		Name: "a", TargetKind: "StatefulSet", TargetName: "b",
		MinReplicas: 2, MaxReplicas: 9, IdleReplicas: &idle,
		PollingInterval: 15 * time.Second, CooldownPeriod: 60 * time.Second, InitialCooldownPeriod: 5 * time.Second,
		Fallback: &Fallback{FailureThreshold: 3, Replicas: 4, Behavior: "currentReplicasIfHigher"},
		Formula:  "a + b",
		Behavior: Behavior{
			Given: true,
			Up: Rules{
				WindowGiven: true, Window: 30 * time.Second, Select: "Disabled", Tolerance: 0.05,
				Policies: []Policy{{Pods: 4, Period: 15 * time.Second}, {Percent: 100, Period: 15 * time.Second}},
			},
			Down: Rules{
				WindowGiven: true, Select: "Min", Tolerance: 0.05,
				Policies: []Policy{{Pods: 5, Period: time.Minute}, {Percent: 50, Period: 30 * time.Second}},
			},
		},
		Triggers: []Trigger{
			{Type: "cpu", Name: "c", MetricType: "Utilization", Metadata: map[string]string{"value": "60"}},
			{Type: "external-push", UseCachedMetrics: true, Metadata: map[string]string{"a": ""}},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(ScaledObject{}, Trigger{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.Triggers[0].External() || !got.Triggers[1].External() {
		t.Error("external and external-push are external, cpu is not")
	}
	if !got.Behavior.Up.Disabled() || got.Behavior.Down.Disabled() {
		t.Error("scaleUp is disabled, scaleDown is not")
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	f := read(t, "# first\na: b\n---\n"+plain)
	so := f.Objects[0]
	for _, tt := range []struct {
		name string
		got  Position
		want string
	}{
		{name: "the object", got: so.Where(""), want: "x.yaml:4:1"},
		{name: "a key", got: so.Where("spec.scaleTargetRef.name"), want: "x.yaml:8:20"},
		{name: "what is not there, in what is", got: so.Where("spec.scaleTargetRef.kind"), want: "x.yaml:8:3"},
		{name: "what is not there at all", got: so.Where("spec.advanced.a.b"), want: "x.yaml:7:1"},
		{name: "a trigger", got: so.Triggers[0].Where(""), want: "x.yaml:10:5"},
		{name: "a key of a trigger", got: so.Triggers[0].Where("metadata.zmyQuery"), want: "x.yaml:12:7"},
		{name: "a key that a trigger lacks", got: so.Triggers[0].Where("metadata.source"), want: "x.yaml:11:5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.got.String() != tt.want {
				t.Errorf("got %s, want %s", tt.got, tt.want)
			}
		})
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	item := strings.ReplaceAll("- "+plain, "\n", "\n  ")
	tests := []struct {
		name    string
		text    string
		objects int
		skipped []string
		broken  []string
	}{
		{name: "nothing"},
		{name: "only comments", text: "# nothing\n---\n# at all\n"},
		{name: "two", text: plain + "---\n" + plain, objects: 2},
		{name: "two, with a comment after the dashes", text: plain + "--- # second\n" + plain, objects: 2},
		{name: "Windows", text: strings.ReplaceAll(plain+"---\n"+plain, "\n", "\r\n"), objects: 2},
		{name: "JSON", text: `{"apiVersion":"keda.sh/v1alpha1","kind":"ScaledObject","metadata":{"name":"a"},"spec":{"scaleTargetRef":{"name":"a"},"triggers":[{"type":"cpu","metadata":{}}]}}`, objects: 1},
		{name: "a List", text: "apiVersion: v1\nkind: List\nitems:\n" + item + "\n- null\n", objects: 1},
		{name: "a ScaledObjectList", text: "apiVersion: keda.sh/v1alpha1\nkind: ScaledObjectList\nitems:\n" + item + "\n", objects: 1},
		{name: "a List in a List", text: "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: List, items: []}\n", skipped: []string{"x.yaml:4:3: a List in a List"}},
		{name: "a List of no list", text: "apiVersion: v1\nkind: List\nitems: a\n", broken: []string{`x.yaml:3:1: items: must be a list, not "a"`}},
		{name: "a List that contains itself", text: "apiVersion: v1\nkind: List\nitems: &a [*a]\n", skipped: []string{"x.yaml:3:8: no Kubernetes object"}},
		{name: "other kinds", text: "apiVersion: v1\nkind: Service\n---\napiVersion: keda.sh/v1alpha1\nkind: ScaledJob\n---\napiVersion: other.example.com/v1\nkind: ScaledObject\n"},
		{name: "values of a chart", text: "image: a\n", skipped: []string{"x.yaml:1:1: no Kubernetes object: it has no kind and apiVersion"}},
		{name: "a list", text: "- a\n", skipped: []string{"x.yaml:1:1: no Kubernetes object"}},
		{
			name: "a template, and an object", objects: 1,
			text:    "{{- if .Values.x }}\napiVersion: v1\n---\n" + plain,
			skipped: []string{"x.yaml:1:1: a template, not YAML: render it first, as helm template does"},
		},
		{
			name: "no YAML, and an object", objects: 1,
			text:   plain + "---\na: b: c\n",
			broken: []string{"x.yaml:11:1: no YAML: mapping values are not allowed in this context"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := read(t, tt.text)
			if len(f.Objects) != tt.objects {
				t.Errorf("%d objects, want %d", len(f.Objects), tt.objects)
			}
			if diff := cmp.Diff(tt.skipped, lines(f.Skipped)); diff != "" {
				t.Errorf("skipped (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.broken, lines(f.Broken)); diff != "" {
				t.Errorf("broken (-want +got):\n%s", diff)
			}
		})
	}
}

func lines(faults []Fault) []string {
	var all []string
	for _, f := range faults {
		all = append(all, f.Error())
	}
	return all
}

func TestReadFails(t *testing.T) {
	t.Parallel()
	cause := errors.New("gone")
	if _, err := Read("x.yaml", iotest.ErrReader(cause)); !errors.Is(err, cause) || !strings.Contains(err.Error(), "x.yaml") {
		t.Errorf("got %v", err)
	}
}
