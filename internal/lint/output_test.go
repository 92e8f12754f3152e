package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
)

// TestOutputs holds every form of the report on one file, in which nearly every
// kind of document is, against how it is to look.
func TestOutputs(t *testing.T) {
	t.Parallel()
	r := check(t, "deploy/mixed.yaml", readFile(t, "testdata/mixed.yaml"), options())
	for golden, write := range map[string]func(io.Writer) error{
		"mixed.txt":   r.WriteText,
		"notes.txt":   r.WriteNotes,
		"mixed.json":  r.WriteJSON,
		"mixed.sarif": func(w io.Writer) error { return r.WriteSARIF(w, "1.2.3", "/repo") },
	} {
		t.Run(golden, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(readFile(t, "testdata/"+golden), b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := write(full{}); !errors.Is(err, io.ErrShortWrite) {
				t.Errorf("a full disk gave %v", err)
			}
		})
	}
}

// full is a writer that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// TestSARIF checks what the schema of SARIF 2.1.0 and code hosts demand.
func TestSARIF(t *testing.T) {
	t.Parallel()
	var all Report
	for _, file := range broken(t) {
		r := check(t, file, readFile(t, file), options())
		all.Findings = append(all.Findings, r.Findings...)
	}
	var b bytes.Buffer
	if err := all.WriteSARIF(&b, "1.2.3", "/repo"); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != len(all.Findings) {
		t.Fatalf("version %q, %d runs", log.Version, len(log.Runs))
	}
	rules := log.Runs[0].Tool.Driver.Rules
	for i, result := range log.Runs[0].Results {
		at := result.Locations[0].Physical
		switch {
		case result.RuleIndex < 0 || rules[result.RuleIndex].ID != result.RuleID:
			t.Errorf("result %d: %s is not rule %d", i, result.RuleID, result.RuleIndex)
		case !strings.Contains("note warning error", result.Level) || result.Level != rules[result.RuleIndex].Default.Level:
			t.Errorf("result %d: level %q", i, result.Level)
		case at.Artifact.URI != all.Findings[i].Position.File || at.Region.StartLine < 1 || at.Region.StartColumn < 1:
			t.Errorf("result %d: at %+v", i, at)
		}
	}
	if strings.Contains(b.String(), "null") {
		t.Error("null, which the schema allows nowhere here")
	}
}

// TestSARIFNamesFiles as code hosts want them: relative, with slashes, escaped.
func TestSARIFNamesFiles(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"deploy/a.yaml": "deploy/a.yaml", "./a.yaml": "a.yaml", "a b.yaml": "a%20b.yaml", "a#b%.yaml": "a%23b%25.yaml",
		"/repo/deploy/a.yaml": "deploy/a.yaml", "/other/a.yaml": "file:///other/a.yaml", "stdin": "stdin", "../a.yaml": "../a.yaml",
	} {
		got := location(manifest.Position{File: name, Line: 1, Column: 1}, "/repo").Physical.Artifact.URI
		if got != want {
			t.Errorf("%s became %q, want %q", name, got, want)
		}
	}
}
