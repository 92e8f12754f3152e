package tools

import (
	"io"
	"os"
	"path/filepath"
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
