package lint

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

func options() Options {
	return Options{Server: trigger.Server{Interval: 15 * time.Second}}
}

// check looks at a manifest, offline.
func check(t testing.TB, name, text string, o Options) Report {
	t.Helper()
	f, err := manifest.Read(name, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(t.Context(), []*manifest.File{f}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// broken returns the manifests with one trap each. Their names begin with the id
// of the rule that finds it.
func broken(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files
}

func ruleOf(file string) string {
	id, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".yaml"), "--")
	return id
}

func TestEachTrapIsFoundByItsRuleAlone(t *testing.T) {
	t.Parallel()
	for _, file := range broken(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, o := readFile(t, file), options()
			o.NoKubernetes = strings.Contains(text, "--kubernetes=off")
			r := check(t, file, text, o)
			if len(r.Findings) != 1 {
				t.Fatalf("%d findings, want one: %+v", len(r.Findings), r.Findings)
			}
			f := r.Findings[0]
			if f.ID != ruleOf(file) {
				t.Errorf("found by %s: %s", f.ID, f.Reason)
			}
			if f.Position.File != file || f.Position.Line < 2 || f.Position.Line > strings.Count(text, "\n") {
				t.Errorf("found at %v, which is not in the manifest", f.Position)
			}
			if o.Skip = []string{f.ID}; len(check(t, file, text, o).Findings) > 0 {
				t.Error("found although its rule is not to be looked for")
			}
		})
	}
}

// TestPlaces: a finding stands where one has to write.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for file, line := range map[string]string{
		"metadata--thresholds":     "scaleUpThreshold:",
		"metadata--unknown-key":    "scaleDownTreshold:",
		"metadata--no-query":       "metadata:",
		"metric-type-mismatch":     "metricType: AverageValue",
		"value-cached":             "useCachedMetrics:",
		"hpa-default-window":       "advanced:",
		"double-delay":             "stabilizationWindowSeconds: 120",
		"double-delay--up":         "stabilizationWindowSeconds: 60",
		"zero-without-wake":        "minReplicaCount: 0",
		"fallback-zero":            "replicas: 0",
		"stranded":                 "policies:",
		"tolerance-mismatch":       "tolerance: 0.2",
		"several-series--guard":    "guardQuery:",
		"constant-replicas":        "replicasQuery:",
		"shadow-decides":           "mode: shadow",
		"manifest--bare-number":    "scaleUpThreshold:",
		"zero-without-wake--idle":  "idleReplicaCount:",
		"step-in-tolerance--large": "maxReplicaCount:",
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			name := "testdata/broken/" + file + ".yaml"
			text, o := readFile(t, name), options()
			o.NoKubernetes = strings.Contains(text, "--kubernetes=off")
			r := check(t, name, text, o)
			if len(r.Findings) == 0 {
				t.Fatal("nothing found")
			}
			at := r.Findings[0].Position
			lines := strings.Split(text, "\n")
			if file == "hpa-default-window" {
				// There is no behavior: the place is that of what it belongs into.
				line = "spec:"
			}
			if got := lines[at.Line-1]; !strings.HasPrefix(got[at.Column-1:], line) {
				t.Errorf("found at %d:%d, %q; want %q", at.Line, at.Column, got, line)
			}
		})
	}
}

// TestEveryRuleHasItsManifest, but for those that only a source can show.
func TestEveryRuleHasItsManifest(t *testing.T) {
	t.Parallel()
	var shown []string
	for _, file := range broken(t) {
		shown = append(shown, ruleOf(file))
	}
	answers := answerRules()
	for _, r := range Rules() {
		online := slices.ContainsFunc(answers, func(a Rule) bool { return a.ID == r.ID })
		if slices.Contains(shown, r.ID) == online {
			t.Errorf("%s: a manifest in testdata/broken is %v, that only a source can show it is %v", r.ID, !online, online)
		}
	}
}

func TestSamplesHaveNoTrap(t *testing.T) {
	t.Parallel()
	files, err := manifest.Files([]string{"../../config/samples"}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(t.Context(), files, options())
	if err != nil || len(r.Findings) > 0 {
		t.Errorf("%v, %+v", err, r.Findings)
	}
	if r.Objects < 7 || r.Objects != r.Triggers || r.Files != r.Objects {
		t.Errorf("looked at %d objects with %d triggers in %d files", r.Objects, r.Triggers, r.Files)
	}
}

func TestRulesAreWhole(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range Rules() {
		if seen[r.ID] || !regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`).MatchString(r.ID) {
			t.Errorf("the id %q is there twice, or no id", r.ID)
		}
		seen[r.ID] = true
		if r.Title == "" || strings.HasSuffix(r.Title, ".") || !strings.HasSuffix(r.Reason, ".") || !strings.HasSuffix(r.Fix, ".") {
			t.Errorf("%s: a title is no sentence, a reason and a fix are: %+v", r.ID, r)
		}
		checks := 0
		for _, has := range []bool{r.object != nil, r.written != nil, r.parsed != nil} {
			if has {
				checks++
			}
		}
		if checks > 1 {
			t.Errorf("%s has %d checks, of which one would run", r.ID, checks)
		}
		if !strings.Contains(Reference(), "\n## "+r.ID+"\n") {
			t.Errorf("%s is not in the reference", r.ID)
		}
	}
	if err := CheckIDs([]string{"stranded", "strandet", "x"}); err == nil || err.Error() != `no rule has the id "strandet", "x"` {
		t.Errorf("got %v", err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	files, err := manifest.Files([]string{"testdata/broken/stranded.yaml"}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Check(ctx, files, options()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSeverityNames(t *testing.T) {
	t.Parallel()
	for _, name := range Severities() {
		var s Severity
		if err := s.UnmarshalText([]byte(name)); err != nil || s.String() != name {
			t.Errorf("%s became %v, %v", name, s, err)
		}
	}
	if err := new(Severity).UnmarshalText([]byte("fatal")); err == nil {
		t.Error("fatal is no severity")
	}
	if worst, found := new(Report).Worst(); found || worst != Info {
		t.Errorf("nothing is worse than %v, %v", worst, found)
	}
}

// FuzzCheck: whatever a manifest holds, every finding has a rule and a place, and
// every form of the report can be written.
func FuzzCheck(f *testing.F) {
	f.Add(readFile(f, "testdata/broken/stranded.yaml"))
	f.Add("apiVersion: keda.sh/v1\nkind: ScaledObject\nspec: {triggers: [{type: external, metadata: {zmyQuery: a}}]}")
	f.Fuzz(func(t *testing.T, text string) {
		r := check(t, "x.yaml", text, options())
		for _, finding := range r.Findings {
			if CheckIDs([]string{finding.ID}) != nil || finding.Position.Line < 1 || finding.Reason == "" || finding.Fix == "" {
				t.Errorf("got %+v", finding)
			}
		}
		var b bytes.Buffer
		for _, write := range []func() error{
			func() error { return r.WriteText(&b) }, func() error { return r.WriteNotes(&b) },
			func() error { return r.WriteJSON(&b) }, func() error { return r.WriteSARIF(&b, "dev", "/") },
		} {
			if err := write(); err != nil {
				t.Error(err)
			}
		}
	})
}
