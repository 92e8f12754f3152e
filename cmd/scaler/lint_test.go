package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

const (
	sample  = "../../config/samples/payment-service.yaml"
	traps   = "../../internal/lint/testdata/broken"
	warning = traps + "/stranded.yaml"
	info    = traps + "/time-to-zero.yaml"
	problem = traps + "/percent.yaml"
)

func TestLintExitCodes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		vars map[string]string
		code int
		out  string
		errs string
	}{
		{name: "a good manifest", args: []string{sample}, code: exitClean, errs: "0 errors, 0 warnings"},
		{name: "an error", args: []string{problem}, code: exitFailure, out: "percent.yaml:25:7: error: zmyQuery gives percent"},
		{name: "a warning", args: []string{warning}, code: exitClean, out: "[stranded]"},
		{name: "an info", args: []string{info}, code: exitClean, out: "[time-to-zero]"},
		{name: "a warning that fails", args: []string{warning, "--fail-on=warning"}, code: exitFailure, out: "[stranded]"},
		{name: "an info that fails", args: []string{info, "--fail-on=info"}, code: exitFailure, out: "[time-to-zero]"},
		{name: "a rule that is skipped", args: []string{problem, warning, "--skip=percent,stranded"}, code: exitClean},
		{name: "a directory", args: []string{traps}, code: exitFailure, out: "[fallback-zero]"},
		{name: "a directory and all below", args: []string{"../../internal/lint", "-R"}, code: exitFailure, out: "[fallback-zero]"},
		{name: "a glob", args: []string{traps + "/fallback-*.yaml"}, code: exitFailure, out: "[fallback-zero]"},
		{name: "a scaler without Kubernetes", args: []string{sample, "--kubernetes=off"}, code: exitFailure, out: "[value-without-kubernetes]"},
		{name: "the same from a variable", args: []string{sample}, vars: map[string]string{"ZMY_KUBERNETES": "off"}, code: exitFailure, out: "[value-without-kubernetes]"},
		{name: "a grid on which a delay does not fit", args: []string{"../../config/samples/yarn-containers.yaml", "--interval=25s"}, code: exitFailure, out: "must be a multiple of the server's interval 25s"},
		{name: "no file", code: exitUsage, errs: "requires at least 1 arg"},
		{name: "a file that is not there", args: []string{"none.yaml"}, code: exitFailure, errs: "none.yaml"},
		{name: "an output nobody knows", args: []string{sample, "-o", "xml"}, code: exitUsage, errs: "text, json or sarif"},
		{name: "a severity nobody knows", args: []string{sample, "--fail-on=fatal"}, code: exitUsage, errs: "fatal"},
		{name: "a rule nobody knows", args: []string{sample, "--skip=stranded,strandet"}, code: exitUsage, errs: `"strandet"`},
		{name: "a mode nobody knows", args: []string{sample, "--kubernetes=on"}, code: exitUsage, errs: "auto or off"},
		{name: "an interval too short", args: []string{sample, "--interval=1ms"}, code: exitUsage, errs: "--interval 1ms: must be between 100ms and 1h"},
		{name: "an interval too long", args: []string{sample, "--interval=2h"}, code: exitUsage, errs: "--interval 2h0m0s: must be between 100ms and 1h"},
		{name: "an interval of half a second", args: []string{sample, "--interval=500ms"}, code: exitClean},
		{name: "a source without a scheme", args: []string{sample, "--source=prometheus:9090"}, code: exitUsage, errs: "--source"},
		{name: "a source that is away", args: []string{sample, "--source=http://127.0.0.1:1"}, code: exitFailure, errs: "unreachable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := do(t.Context(), t, tt.vars, append([]string{"lint"}, tt.args...)...)
			if code != tt.code || !strings.Contains(out, tt.out) || !strings.Contains(errs, tt.errs) {
				t.Errorf("exit %d\n%s\n%s\nwant %d, %q and %q", code, out, errs, tt.code, tt.out, tt.errs)
			}
			if code == exitUsage && out != "" {
				t.Errorf("a mistake of usage wrote %q", out)
			}
		})
	}
}

// TestLintIsSilentWhenAllIsWell: nothing but the notes, for people.
func TestLintIsSilentWhenAllIsWell(t *testing.T) {
	t.Parallel()
	if code, out, errs := do(t.Context(), t, nil, "lint", "../../config/samples"); code != exitClean || out != "" || errs == "" {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
}

func TestLintReadsStdin(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(problem)
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"lint", "-", "-o", "json"}, environment{
		in: bytes.NewReader(text), out: &stdout, err: &stderr, lookup: func(string) (string, bool) { return "", false },
	})
	var report struct {
		Findings []struct{ ID, File string }
	}
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil || code != exitFailure {
		t.Fatalf("exit %d, %v: %s", code, err, &stderr)
	}
	if len(report.Findings) != 1 || report.Findings[0].ID != "percent" || report.Findings[0].File != "stdin" {
		t.Errorf("got %+v", report)
	}
}

// TestLintSARIF: files below the working directory, where CI runs, are named from
// there. This one is not below it.
func TestLintSARIF(t *testing.T) {
	t.Parallel()
	file, err := filepath.Abs(problem)
	if err != nil {
		t.Fatal(err)
	}
	code, out, errs := do(t.Context(), t, nil, "lint", file, "-o", "sarif")
	if code != exitFailure || !strings.Contains(out, `"uri": "file://`+filepath.ToSlash(file)+`"`) || !strings.Contains(out, `"version": "dev"`) {
		t.Errorf("exit %d, %s\n%s", code, errs, out)
	}
}

// TestLintSARIFOfASourceThatIsAway: code hosts are told that not all was looked at.
func TestLintSARIFOfASourceThatIsAway(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{args: []string{sample}, code: exitClean, want: `"executionSuccessful": true`},
		{args: []string{sample, "--source=http://127.0.0.1:1"}, code: exitFailure, want: `"executionSuccessful": false`},
	} {
		code, out, errs := do(t.Context(), t, nil, append([]string{"lint", "-o", "sarif"}, tt.args...)...)
		if code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%v: exit %d, %s, want %s", tt.args, code, errs, tt.want)
		}
	}
}

func TestLintAsksTheSource(t *testing.T) {
	t.Parallel()
	// The command asks as of now, when this server has nothing.
	server := promquerytest.New(t, "")
	code, out, errs := do(t.Context(), t, nil, "lint", sample, "--source", server.URL)
	if code != exitClean || !strings.Contains(out, "[no-data]") || len(server.Requests()) != 1 {
		t.Errorf("exit %d, %d requests, %s\n%s", code, len(server.Requests()), out, errs)
	}
}
