package manifest

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// signedOctal begins what the two versions of YAML do not agree on: 0o-7 is a number
// in the newer one and a string in the older one, which kubectl has.
var signedOctal = regexp.MustCompile(`^_*0_*o_*[+-]`)

// FuzzRead: nothing that anybody writes may end the reader; every place lies in
// the file, and an object without faults is one that KEDA could have.
func FuzzRead(f *testing.F) {
	const head = "apiVersion: keda.sh/v1\nkind: ScaledObject\nspec: "
	// Short ones: the fuzzer spends its time on making long ones shorter.
	for _, s := range []string{
		plain, strings.Replace(plain, "{name: payment}", "{name: ''}", 1), strings.Replace(plain, "external", "|", 1), "\xff\xfe(\x20a\x00",
		head + "{minReplicaCount: 1, idleReplicaCount: 0, fallback: {replicas: 1}}",
		head + "{advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleUp: {policies: [{type: Pods, value: 1, periodSeconds: 9}], tolerance: 50m}}}}}",
		head + "{triggers: [{type: a, metadata: {a: &x b, c: 1}}, {metadata: {<<: {d: *x}}}]}",
		"a: &a [*a]", "a: &a {<<: *a}", "---\n---\n", "{{ x }}", "kind: List\napiVersion: v1\nitems: [1, {}, null]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if joined := bytes.Join(split(text), nil); !bytes.Equal(joined, text) {
			t.Fatalf("split made %q of %q", joined, text)
		}
		file, err := Read("x", bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		last := strings.Count(string(text), "\n") + 1
		inside := func(p Position) {
			// A line may also end in a bare carriage return and in Unicode's own ways, and
			// be of UTF-16.
			other := bytes.ContainsAny(text, "\r\u0085\u2028\u2029") || bytes.Contains(text, []byte("\xff\xfe")) || bytes.Contains(text, []byte("\xfe\xff"))
			if p.Line < 1 || p.Column < 1 || p.Line > last && !other {
				t.Errorf("%v is not in a file of %d lines", p, last)
			}
		}
		for _, fault := range append(file.Broken, file.Skipped...) {
			inside(fault.Position)
		}
		for _, so := range file.Objects {
			inside(so.Where("spec.triggers"))
			for _, fault := range so.Faults {
				inside(fault.Position)
			}
			if len(so.Faults) == 0 {
				whole(t, so)
			}
		}
	})
}

func whole(t *testing.T, so *ScaledObject) {
	t.Helper()
	if so.TargetName == "" || len(so.Triggers) == 0 || so.MinReplicas < 0 || so.MinReplicas > so.MaxReplicas || so.PollingInterval <= 0 {
		t.Errorf("no fault in %+v", so)
	}
	for _, rules := range []Rules{so.Behavior.Up, so.Behavior.Down} {
		if len(rules.Policies) == 0 || rules.Window < 0 || rules.Window > longestWindow || rules.Tolerance < 0 {
			t.Errorf("no fault in %+v", rules)
		}
		for _, p := range rules.Policies {
			if (p.Pods > 0) == (p.Percent > 0) || p.Period <= 0 || p.Period > longestPeriod {
				t.Errorf("no fault in the policy %+v", p)
			}
		}
	}
	for _, tr := range so.Triggers {
		if tr.Type == "" {
			t.Errorf("no fault in the trigger %+v", tr)
		}
	}
}

// FuzzIsString: what is not quoted and means something else than itself is no
// string.
func FuzzIsString(f *testing.F) {
	for _, s := range []string{"30", "yes", "a", "1:30", "0x1", "~", "1e3", "vector(1)", ".5", "on", "0o-7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		plain := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
		quoted := &yaml.Node{Kind: yaml.ScalarNode, Value: text, Style: yaml.DoubleQuotedStyle, Tag: "!!str"}
		if !isString(quoted) {
			t.Errorf("%q in quotes is a string", text)
		}
		switch plain.ShortTag() {
		case "!!int", "!!bool", "!!float":
			if isString(plain) && !signedOctal.MatchString(text) {
				t.Errorf("%q is no string", text)
			}
		}
	})
}
