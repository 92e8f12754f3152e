package tools

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestVersions compares the versions that are stamped with those that are pinned.
func TestVersions(t *testing.T) {
	for module, pin := range map[string]string{
		"kubernetes": "k8s.io/kubernetes v" + kubernetesVersion,
		"keda":       "github.com/kedacore/keda/v2 v" + kedaVersion,
		"kwok":       "sigs.k8s.io/kwok v" + kwokVersion,
	} {
		text, err := os.ReadFile(filepath.Join(module, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), pin+" ") && !strings.Contains(string(text), pin+"\n") {
			t.Errorf("tools/%s/go.mod does not pin %s", module, pin)
		}
	}
}

// ofRelease are dependencies that differ, because the code of a release needs its own.
var ofRelease = regexp.MustCompile(`^(k8s\.io/.*` + // the cluster's programs have its version, the others the scaler's
	`|sigs\.k8s\.io/controller-runtime|github\.com/google/cel-go|go\.etcd\.io/etcd/.*` +
	`|github\.com/prometheus/(client_golang|prometheus)` + // KEDA does not compile with the scaler's
	`|github\.com/gobwas/glob` + // what KEDA needs of it and what Prometheus needs are not in one version
	`|github\.com/mitchellh/mapstructure)$`) // a commit that never was a release

// TestOneVersion sees that the modules whose programs and tests make e2e compiles
// require the same version of what they share. So its packages are compiled once:
// otherwise it is nearly twice as much, and takes as much longer.
func TestOneVersion(t *testing.T) {
	modules, err := filepath.Glob("*/go.mod")
	if err != nil || len(modules) < 5 {
		t.Fatal(modules, err)
	}
	type pin struct{ version, module string }
	first := map[string]pin{}
	for _, name := range append(modules,
		"../go.mod", "../page/go.mod", "../chart/go.mod", "../hpa/go.mod", "../keda/go.mod", "../prometheus/go.mod", "../../tools/helm/go.mod") {
		out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Require []struct{ Path, Version string }
		}
		if err := json.Unmarshal(out, &file); err != nil {
			t.Fatal(err)
		}
		for _, r := range file.Require {
			was, ok := first[r.Path]
			switch {
			case !ok:
				first[r.Path] = pin{r.Version, name}
			case was.version != r.Version && !ofRelease.MatchString(r.Path):
				t.Errorf("%s is %s in %s, but %s in %s: raise the older one with go get", r.Path, r.Version, name, was.version, was.module)
			}
		}
	}
}

// TestPath sees that a program is built anew when, and only when, something that it
// is made of has changed.
func TestPath(t *testing.T) {
	e2e := t.TempDir()
	if err := os.Mkdir(filepath.Join(e2e, "m"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(e2e, "m", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m\n")
	write("go.sum", "")
	c := Cache{Dir: t.TempDir(), E2E: e2e, Log: io.Discard}
	tool := Tool{Name: "a", Module: "m", Package: "m/cmd/a"}
	path := func() string {
		p, err := c.Path(tool)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := path()
	tool.Cost = time.Hour
	if path() != first {
		t.Error("the estimate is part of the name")
	}
	seen := map[string]string{first: "the first"}
	for _, change := range []struct {
		name string
		make func()
	}{
		{"a dependency", func() { write("go.mod", "module m\n\nrequire x v1.0.0\n") }},
		{"a checksum", func() { write("go.sum", "x") }},
		{"a stamp", func() { tool.Stamps = []string{"x.y=1"} }},
		{"a tag", func() { tool.Tags = "small" }},
		{"a package of the module", func() { tool.Package = "./." }},
		{"a source of that", func() { write("main.go", "package main\n") }},
	} {
		change.make()
		if was, ok := seen[path()]; ok {
			t.Errorf("with %s the name is that of %s", change.name, was)
		}
		seen[path()] = change.name
	}
}
