package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	apps "k8s.io/api/apps/v1"
	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/infra-arch/zmy-scaler/internal/app"
	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/internal/kube"
)

const chart = "../../charts/zmy-scaler"

// manifests are the objects of a release, in JSON.
type manifests map[string][]json.RawMessage

// helm returns where the program is. It is built once: tests that begin side by side
// would each build all of it.
var helm = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "tool", "-modfile=../../tools/helm/go.mod", "-n", "helm").Output()
	return strings.TrimSpace(string(out)), err
})

// render renders the chart as the release zmy-scaler in zmy-system.
func render(t *testing.T, args ...string) manifests {
	t.Helper()
	program, err := helm()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, append([]string{"template", "zmy-scaler", chart, "--namespace", "zmy-system"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	all := manifests{}
	d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(out), 1<<16)
	for {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		var head meta.TypeMeta
		if err := json.Unmarshal(raw, &head); err != nil {
			t.Fatal(err)
		}
		if head.Kind != "" {
			all[head.Kind] = append(all[head.Kind], raw)
		}
	}
}

// only returns the one object of a kind, strictly read.
func only[T any](t *testing.T, m manifests, kind string) T {
	t.Helper()
	var v T
	if len(m[kind]) != 1 {
		t.Fatalf("%d of kind %s", len(m[kind]), kind)
	}
	d := json.NewDecoder(bytes.NewReader(m[kind][0]))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	return v
}

// variants runs a test on the defaults and on each file of values in ci/.
func variants(t *testing.T, test func(*testing.T, manifests)) {
	t.Helper()
	t.Run("defaults", func(t *testing.T) { test(t, render(t)) })
	files, err := filepath.Glob(chart + "/ci/*-values.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no values", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) { test(t, render(t, "-f", f)) })
	}
}

// TestPodsAreRestricted asks the code that enforces the Pod Security Standards.
func TestPodsAreRestricted(t *testing.T) {
	t.Parallel()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	variants(t, func(t *testing.T, m manifests) {
		d := only[apps.Deployment](t, m, "Deployment")
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &d.Spec.Template.ObjectMeta, &d.Spec.Template.Spec))
		if !result.Allowed {
			t.Error(result.ForbiddenDetail())
		}
		pod := d.Spec.Template.Spec
		if c := pod.Containers[0].SecurityContext; c.ReadOnlyRootFilesystem == nil || !*c.ReadOnlyRootFilesystem {
			t.Error("the root file system can be written to")
		}
		if got := *pod.TerminationGracePeriodSeconds; float64(got) <= app.DrainTimeout.Seconds()+5 {
			t.Errorf("%d seconds to stop are too few for the drain", got)
		}
	})
}

// TestConfiguration lets the scaler read the file that the chart makes.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	type file struct {
		Data       map[string]string `json:"data"`
		StringData map[string]string `json:"stringData"`
	}
	variants(t, func(t *testing.T, m manifests) {
		for _, raw := range slices.Concat(m["ConfigMap"], m["Secret"]) {
			var f file
			if err := json.Unmarshal(raw, &f); err != nil {
				t.Fatal(err)
			}
			content := f.Data["scaler.yaml"] + f.StringData["scaler.yaml"]
			if content == "" {
				continue
			}
			c, err := config.Parse([]byte(content))
			if err != nil {
				t.Fatal(err)
			}
			// These come by flags.
			c.GRPC.TLS.CertFile, c.GRPC.TLS.KeyFile, c.GRPC.TLS.ClientCAFile = "a", "b", "c"
			if err := c.Validate(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestRights compares the ClusterRole with what the scaler says it needs.
func TestRights(t *testing.T) {
	t.Parallel()
	role := only[rbac.ClusterRole](t, render(t), "ClusterRole")
	rules := kube.Rules()
	if len(role.Rules) != len(rules) {
		t.Fatalf("%d rules, want %d", len(role.Rules), len(rules))
	}
	for i, want := range rules {
		got := role.Rules[i]
		if !slices.Equal(got.APIGroups, want.Groups) || !slices.Equal(got.Resources, want.Resources) || !slices.Equal(got.Verbs, want.Verbs) {
			t.Errorf("rule %+v, want %+v", got, want)
		}
	}
}

// TestFlags looks each flag that the chart sets up in the scaler's own help.
func TestFlags(t *testing.T) {
	t.Parallel()
	help, err := exec.CommandContext(t.Context(), "go", "run", "-C", "../..", "./cmd/scaler", "serve", "--help").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, help)
	}
	variants(t, func(t *testing.T, m manifests) {
		args := only[apps.Deployment](t, m, "Deployment").Spec.Template.Spec.Containers[0].Args
		if args[0] != "serve" {
			t.Errorf("the command is %q", args[0])
		}
		for _, arg := range args[1:] {
			flag, _, _ := strings.Cut(arg, "=")
			if !bytes.Contains(help, []byte(flag+" ")) {
				t.Errorf("scaler serve has no %s", flag)
			}
		}
	})
}
