package chart

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	api "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	internalapi "k8s.io/kubernetes/pkg/apis/admissionregistration"
	convert "k8s.io/kubernetes/pkg/apis/admissionregistration/v1"
	"k8s.io/kubernetes/pkg/apis/admissionregistration/validation"

	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

const address = "zmy-scaler.zmy-system:6000"

func thePolicy(t *testing.T) *api.ValidatingAdmissionPolicy {
	t.Helper()
	p := only[api.ValidatingAdmissionPolicy](t, render(t), "ValidatingAdmissionPolicy")
	return &p
}

// TestPolicyIsValid asks the code with which the API server takes policies, which
// compiles every expression.
func TestPolicyIsValid(t *testing.T) {
	t.Parallel()
	p := thePolicy(t)
	convert.SetObjectDefaults_ValidatingAdmissionPolicy(p)
	var in internalapi.ValidatingAdmissionPolicy
	if err := convert.Convert_v1_ValidatingAdmissionPolicy_To_admissionregistration_ValidatingAdmissionPolicy(p, &in, nil); err != nil {
		t.Fatal(err)
	}
	for _, err := range validation.ValidateValidatingAdmissionPolicy(&in) {
		t.Error(err)
	}
}

// judge evaluates the policy as the API server does.
type judge struct {
	validator validating.Validator
}

func newJudge(t *testing.T) judge {
	t.Helper()
	p := thePolicy(t)
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		t.Fatal(err)
	}
	vars := cel.OptionalVariableDeclarations{HasAuthorizer: true}
	for _, v := range p.Spec.Variables {
		compiler.CompileAndStoreVariables([]cel.NamedExpressionAccessor{&validating.Variable{Name: v.Name, Expression: v.Expression}}, vars, environment.StoredExpressions)
	}
	var conditions, checks, messages []cel.ExpressionAccessor
	for i := range p.Spec.MatchConditions {
		conditions = append(conditions, (*matchconditions.MatchCondition)(&p.Spec.MatchConditions[i]))
	}
	for _, v := range p.Spec.Validations {
		checks = append(checks, &validating.ValidationCondition{Expression: v.Expression, Message: v.Message, Reason: v.Reason})
		messages = append(messages, &validating.MessageExpressionCondition{MessageExpression: v.MessageExpression})
	}
	// An evaluation that fails would be ignored; here it must be seen.
	fail := api.Fail
	matcher := matchconditions.NewMatcher(compiler.CompileCondition(conditions, vars, environment.StoredExpressions), &fail, "policy", "validate", p.Name)
	return judge{validating.NewValidator(
		compiler.CompileCondition(checks, vars, environment.StoredExpressions), matcher,
		compiler.CompileCondition(nil, vars, environment.StoredExpressions),
		compiler.CompileCondition(messages, cel.OptionalVariableDeclarations{}, environment.StoredExpressions),
		&fail, nil,
	)}
}

// refusal returns why the policy refuses an object; empty where it does not.
func (j judge) refusal(t *testing.T, object, old map[string]any) string {
	t.Helper()
	gvk := schema.GroupVersionKind{Group: "keda.sh", Version: "v1alpha1", Kind: "ScaledObject"}
	gvr := gvk.GroupVersion().WithResource("scaledobjects")
	operation, was := admission.Create, runtime.Object(nil)
	if old != nil {
		operation, was = admission.Update, &unstructured.Unstructured{Object: old}
	}
	attributes := admission.NewAttributesRecord(&unstructured.Unstructured{Object: object}, was, gvk, "shop", "checkout", gvr, "", operation, nil, false, nil)
	result := j.validator.Validate(t.Context(), gvr, &admission.VersionedAttributes{
		Attributes: attributes, VersionedKind: gvk,
		VersionedObject: attributes.GetObject(), VersionedOldObject: was,
	}, nil, nil, celconfig.RuntimeCELCostBudget, nil)
	var said []string
	for _, d := range result.Decisions {
		if d.Evaluation == validating.EvalError {
			t.Fatalf("the policy itself is broken: %s", d.Message)
		}
		if d.Action == validating.ActionDeny {
			said = append(said, d.Message)
		}
	}
	return strings.Join(said, "; ")
}

func scaledObject(triggers ...any) map[string]any {
	return map[string]any{
		"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
		"metadata": map[string]any{"name": "checkout", "namespace": "shop"},
		"spec":     map[string]any{"scaleTargetRef": map[string]any{"name": "checkout"}, "triggers": triggers},
	}
}

// zmy returns a trigger of ours; kind is the metricType beside the metadata.
func zmy(metadata map[string]string, kind string) map[string]any {
	m := map[string]any{"scalerAddress": address}
	for k, v := range metadata {
		m[k] = v
	}
	t := map[string]any{"type": "external", "metadata": m}
	if kind != "" {
		t["metricType"] = kind
	}
	return t
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	good := func(more map[string]string) map[string]string {
		m := map[string]string{"zmyQuery": "avg(zmy)"}
		maps.Copy(m, more)
		return m
	}
	foreign := zmy(map[string]string{"what": "ever"}, "")
	foreign["metadata"].(map[string]any)["scalerAddress"] = "other-scaler.zmy-system:6000"
	cron := map[string]any{"type": "cron", "metadata": map[string]any{"timezone": "UTC"}}
	tests := []struct {
		name     string
		triggers []any
		want     string
	}{
		{name: "nothing but a query", triggers: []any{zmy(good(nil), "")}},
		{name: "triggers of others", triggers: []any{foreign, cron}},
		{name: "no query", triggers: []any{zmy(nil, "")}, want: "zmyQuery: is required: PromQL giving one value between 0 (saturated) and 1 (idle)"},
		{name: "query from the environment", triggers: []any{zmy(map[string]string{"zmyQueryFromEnv": "QUERY"}, "")}},
		{name: "query twice", triggers: []any{zmy(good(map[string]string{"zmyQueryFromEnv": "QUERY"}), "")}, want: "zmyQuery: given twice, as zmyQuery and zmyQueryFromEnv: keep one"},
		{name: "empty query", triggers: []any{zmy(map[string]string{"zmyQuery": " "}, "")}, want: "zmyQuery: is empty: leave the key out, or give it a value"},
		{name: "unknown key", triggers: []any{zmy(good(map[string]string{"zmyQeury": "x"}), "")}, want: `zmyQeury "x": unknown key`},
		{
			name: "a password", triggers: []any{zmy(good(map[string]string{"dbPassword": "hunter2"}), "")},
			want: "dbPassword: looks like a secret, and trigger metadata is plain text: put credentials into the source's http settings in the scaler's configuration",
		},
		{name: "out of range", triggers: []any{zmy(good(map[string]string{"cpuTarget": "0"}), "")}, want: `cpuTarget "0": must be a number above 0 and at most 100`},
		{name: "no number", triggers: []any{zmy(good(map[string]string{"scaleUpThreshold": "low"}), "")}, want: `scaleUpThreshold "low": must be a number between 0 and 1`},
		{name: "thresholds out of order", triggers: []any{zmy(good(map[string]string{"scaleUpThreshold": "0.95"}), "")}, want: `scaleUpThreshold "0.95": must be below scaleDownThreshold "0.9"`},
		{name: "inactive below down", triggers: []any{zmy(good(map[string]string{"inactiveThreshold": "0.8"}), "")}, want: `scaleDownThreshold "0.9": must not be above inactiveThreshold "0.8"`},
		{
			name: "target outside", triggers: []any{zmy(good(map[string]string{"triggerThreshold": "80"}), "")},
			want: `triggerThreshold "80": must be above 10 and below 70, which is 100 x (1 - scaleDownThreshold "0.9") and 100 x (1 - scaleUpThreshold "0.3"), so that a fleet sized to it lands in the hold band`,
		},
		{name: "threshold from the environment", triggers: []any{zmy(good(map[string]string{"scaleUpThreshold": "0.95", "scaleDownThresholdFromEnv": "DOWN"}), "")}},
		{name: "weight without CPU", triggers: []any{zmy(good(map[string]string{"cpuWeight": "0.5"}), "")}, want: `cpuWeight "0.5": needs cpuQuery: there is no CPU to weigh`},
		{name: "no duration", triggers: []any{zmy(good(map[string]string{"holdFor": "soon"}), "")}, want: `holdFor "soon": must be a number of seconds, or a duration such as 90s or 5m`},
		{name: "negative duration", triggers: []any{zmy(good(map[string]string{"scaleDownDelay": "-5m"}), "")}, want: `scaleDownDelay "-5m": must not be negative`},
		{name: "no interval", triggers: []any{zmy(good(map[string]string{"interval": "0s"}), "")}, want: `interval "0s": must be longer than 0`},
		{name: "no choice", triggers: []any{zmy(good(map[string]string{"mode": "on"}), "")}, want: `mode "on": must be "active" or "shadow"`},
		{name: "metric types agree", triggers: []any{zmy(good(map[string]string{"metricType": "Value"}), "Value")}},
		{name: "metric types differ", triggers: []any{zmy(good(map[string]string{"metricType": "Value"}), "")}, want: `metricType "Value": the ScaledObject's trigger has metricType "AverageValue": make them agree`},
		{
			name: "several faults", triggers: []any{cron, zmy(good(map[string]string{"mode": "on", "holdFor": "soon"}), ""), zmy(nil, "")},
			want: `holdFor "soon": must be a number of seconds, or a duration such as 90s or 5m; mode "on": must be "active" or "shadow"; zmyQuery: is required: PromQL giving one value between 0 (saturated) and 1 (idle)`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := j.refusal(t, scaledObject(tt.triggers...), nil); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestPolicyLetsOthersWork makes sure that an object that was broken before the
// policy came can still be deleted, which takes KEDA an update.
func TestPolicyLetsOthersWork(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	old, updated := scaledObject(zmy(nil, "")), scaledObject(zmy(nil, ""))
	old["metadata"].(map[string]any)["finalizers"] = []any{"finalizer.keda.sh"}
	if got := j.refusal(t, updated, old); got != "" {
		t.Errorf("an update of the finalizers was refused: %s", got)
	}
	if got := j.refusal(t, scaledObject(zmy(map[string]string{"mode": "on"}, "")), old); got == "" {
		t.Error("a broken trigger was taken in an update")
	}
}

func TestPolicyMatchesAddresses(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	for to, ours := range map[string]bool{
		"zmy-scaler.zmy-system:6000": true, "zmy-scaler.zmy-system.svc:6000": true, "zmy-scaler.zmy-system": true,
		"zmy-scaler.zmy-system.svc.cluster.local.:6000": true, "dns:///zmy-scaler.zmy-system.svc:6000": true,
		"zmy-scaler.zmy-systems:6000": false, "other-zmy-scaler.zmy-system:6000": false, "zmy-scalerXzmy-system:6000": false,
	} {
		trigger := zmy(nil, "")
		trigger["metadata"].(map[string]any)["scalerAddress"] = to
		if got := j.refusal(t, scaledObject(trigger), nil) != ""; got != ours {
			t.Errorf("%s: looked at: %v, want %v", to, got, ours)
		}
	}
}

// TestPolicyTakesSamples applies the project's own ScaledObjects.
func TestPolicyTakesSamples(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	files, err := filepath.Glob("../../config/samples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no samples", err)
	}
	seen := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq(string(content), "\n---\n") {
			var object map[string]any
			if err := yaml.Unmarshal([]byte(part), &object); err != nil {
				t.Fatal(err)
			}
			if object["kind"] != "ScaledObject" {
				continue
			}
			seen++
			if got := j.refusal(t, object, nil); got != "" {
				t.Errorf("%s: %s", file, got)
			}
		}
	}
	if seen < len(files) {
		t.Errorf("only %d ScaledObjects in %d files", seen, len(files))
	}
}

// TestPolicyAgainstScaler gives both random triggers. Whatever the policy says, the
// scaler says too, word by word; and what the scaler says the policy says as well,
// but for what it leaves to the scaler.
func TestPolicyAgainstScaler(t *testing.T) {
	t.Parallel()
	j := newJudge(t)
	rng := rand.New(rand.NewPCG(3, 1))
	words := []string{
		"0", "1", "0.5", ".3", "0.9", "0.95", "1e-1", "+0.2", "-0.1", "1.01", "30", "70", "10", "100", "99.5", "-1", "1e3", "0x1p-2", "1e999", "NaN", "Inf",
		"5m", "1h30m", "1d", "2w", "-5m", "0s", "0.5", "90s", "1.5h", "300ms", "-0", "1y1d", "5 m", "m", "avg(zmy)", "vector(1)", "default", "Value", "AverageValue",
		"safe", "floor", "true", "false", "hold", "error", "shadow", "active", "on", "", " ", " 0.4 ", "zmy", "a b", "_x", "it's", `say "no"`, "ü",
	}
	var keys []string
	for _, k := range trigger.Keys() {
		keys = append(keys, k.Name)
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { return k == "scalerAddress" })
	strangers := []string{"zmyQeury", "scaleupthreshold", "password", "apiKey", "modeFrom", "serverAddress"}
	refused, missed := 0, map[string]int{}
	for range 20_000 {
		metadata := map[string]string{"zmyQuery": "avg(zmy)"}
		if rng.IntN(20) == 0 {
			delete(metadata, "zmyQuery")
		}
		for range rng.IntN(5) {
			key := keys[rng.IntN(len(keys))]
			if rng.IntN(20) == 0 {
				key = strangers[rng.IntN(len(strangers))]
			}
			if rng.IntN(20) == 0 {
				key += "FromEnv"
			}
			metadata[key] = words[rng.IntN(len(words))]
		}
		kind := metadata["metricType"]
		if kind != "Value" {
			kind = ""
		}
		got := j.refusal(t, scaledObject(zmy(metadata, kind)), nil)
		// What comes from the environment is known to the scaler only.
		withEnv := slices.ContainsFunc(slices.Collect(maps.Keys(metadata)), func(k string) bool { return strings.HasSuffix(k, "FromEnv") })
		want := says(metadata)
		if got != "" {
			refused++
		}
		for _, fault := range parts(got) {
			if !slices.ContainsFunc(want, func(w string) bool { return w == fault || strings.HasPrefix(w, fault+"; did you mean") }) {
				t.Fatalf("%v: the policy says\n  %s\nand the scaler\n  %s", metadata, fault, strings.Join(want, "\n  "))
			}
		}
		for _, fault := range want {
			stranger, _, _ := strings.Cut(fault, "; did you mean")
			if !withEnv && !slices.Contains(parts(got), stranger) && !left(fault) {
				missed[fault]++
			}
		}
	}
	for fault, n := range missed {
		t.Errorf("the policy does not say (%d times): %s", n, fault)
	}
	t.Logf("%d of 20000 triggers refused", refused)
}

// says returns what the scaler says, fault by fault.
func says(metadata map[string]string) []string {
	_, err := trigger.Parse(metadata, trigger.Server{Interval: time.Second})
	var faults trigger.Faults
	errors.As(err, &faults)
	var all []string
	for _, f := range faults {
		all = append(all, f.String())
	}
	return all
}

// parts returns the faults that the policy named.
func parts(message string) []string {
	if message == "" {
		return nil
	}
	return strings.Split(message, "; ")
}

// left reports whether a fault is one that the policy leaves to the scaler.
func left(fault string) bool {
	for _, part := range []string{"PromQL", ": column ", "a bare comparison", "must be a multiple of", "must be at least the interval", "the window would hold", "must not be longer than", "1e999", "0x1p-2", "must be at least 0.001", "a query must"} {
		if strings.Contains(fault, part) {
			return true
		}
	}
	return false
}
