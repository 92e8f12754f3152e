package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const replayed = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: 1
  triggers:
  - type: external
    metricType: Value
    metadata: {zmyQuery: zmy}
`

// replayFiles returns a manifest and a demand of two hours.
func replayFiles(t *testing.T) (manifest, demand string) {
	t.Helper()
	dir := t.TempDir()
	manifest, demand = filepath.Join(dir, "web.yaml"), filepath.Join(dir, "demand.csv")
	var rows strings.Builder
	rows.WriteString("timestamp,requests\n")
	for i := range 120 {
		amount := "100"
		if i/30%2 == 1 {
			amount = "300"
		}
		fmt.Fprintf(&rows, "%d,%s\n", 1_772_352_000+60*i, amount)
	}
	for file, text := range map[string]string{manifest: replayed, demand: rows.String()} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return manifest, demand
}

func TestBacktest(t *testing.T) {
	t.Parallel()
	manifest, demand := replayFiles(t)
	code, out, errs := do(t.Context(), t, nil, "backtest", manifest, "--demand", demand, "--per-worker", "100", "--compare")
	if code != exitClean || !strings.Contains(out, "replica-hours") || !strings.Contains(out, "plain trigger") {
		t.Errorf("exit %d: %s\n%s", code, out, errs)
	}
	file := filepath.Join(t.TempDir(), "report.json")
	code, out, errs = do(t.Context(), t, map[string]string{"ZMY_PER_WORKER": "100"}, "backtest", manifest, "--demand", demand, "-o", "json", "--output", file, "--cost-per-replica-hour", "2")
	if code != exitClean || out != "" {
		t.Fatalf("exit %d: %s\n%s", code, out, errs)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Steps  int
		Result struct{ ReplicaHours float64 }
		Cost   struct{ Result float64 }
	}
	if err := json.Unmarshal(text, &report); err != nil || report.Steps != 479 || report.Result.ReplicaHours <= 0 || report.Cost.Result != 2*report.Result.ReplicaHours {
		t.Errorf("%+v, %v", report, err)
	}
	code, out, _ = do(t.Context(), t, nil, "backtest", manifest, "--demand", demand, "--per-worker", "100", "-o", "html")
	if code != exitClean || !strings.HasPrefix(out, "<!doctype html>") {
		t.Errorf("exit %d: %.100s", code, out)
	}
}

// TestBacktestAtShortIntervals: a scaler may decide twice a second.
func TestBacktestAtShortIntervals(t *testing.T) {
	t.Parallel()
	manifest, demand := replayFiles(t)
	code, out, errs := do(t.Context(), t, nil, "backtest", manifest, "--demand", demand, "--per-worker", "100", "--interval=500ms")
	if code != exitClean || !strings.Contains(out, "14389 decisions") {
		t.Errorf("exit %d: %s\n%s", code, out, errs)
	}
}

func TestBacktestRefuses(t *testing.T) {
	t.Parallel()
	manifest, demand := replayFiles(t)
	decade := filepath.Join(t.TempDir(), "decade.csv")
	if err := os.WriteFile(decade, []byte("2016-03-01,1\n2020-12-31,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		code int
		errs string
	}{
		{name: "nothing to replay", code: exitUsage, errs: "--source"},
		{name: "two things to replay", args: []string{"--demand", demand, "--per-worker=1", "--source=http://localhost:1"}, code: exitUsage, errs: "one of them"},
		{name: "no begin", args: []string{"--source=http://localhost:1"}, code: exitUsage, errs: "--from"},
		{name: "no time", args: []string{"--source=http://localhost:1", "--from=soon"}, code: exitUsage, errs: "soon"},
		{name: "no end", args: []string{"--source=http://localhost:1", "--from=7d", "--to=soon"}, code: exitUsage, errs: "soon"},
		{name: "no workers", args: []string{"--source=http://localhost:1", "--from=7d"}, code: exitFailure, errs: "--replicas-query"},
		{name: "nobody there", args: []string{"--source=http://127.0.0.1:1", "--from=1h", "--replicas-query=up"}, code: exitFailure, errs: "connection refused"},
		{name: "several mistakes at once", args: []string{"--demand", demand, "--start-delay=-1s", "-o", "xml"}, code: exitUsage, errs: "--start-delay -1s: must be between 0s and 24h0m0s\n--format \"xml\""},
		{name: "limits of the server", args: []string{"--demand", demand, "--per-worker=1", "--interval=2h", "--query-offset=90m"}, code: exitUsage, errs: "--interval 2h0m0s: must be between 100ms and 1h\n--query-offset 1h30m0s: must be between 0s and 1h"},
		{name: "an interval too short", args: []string{"--demand", demand, "--per-worker=1", "--interval=50ms"}, code: exitUsage, errs: "--interval 50ms"},
		{name: "a start for ever", args: []string{"--demand", demand, "--per-worker=1", "--start-delay=25h"}, code: exitUsage, errs: "--start-delay 25h0m0s"},
		{name: "no cost", args: []string{"--demand", demand, "--per-worker=1", "--cost-per-replica-hour=NaN"}, code: exitUsage, errs: "--cost-per-replica-hour NaN: must be a number that is not negative"},
		{name: "a cost without end", args: []string{"--demand", demand, "--per-worker=1", "--cost-per-replica-hour=Inf"}, code: exitUsage, errs: "--cost-per-replica-hour +Inf"},
		{name: "a negative cost", args: []string{"--demand", demand, "--per-worker=1", "--cost-per-replica-hour=-1"}, code: exitUsage, errs: "--cost-per-replica-hour -1"},
		{name: "no amount", args: []string{"--demand", demand, "--per-worker=NaN"}, code: exitUsage, errs: "--per-worker"},
		{name: "an amount without end", args: []string{"--demand", demand, "--per-worker=Inf"}, code: exitUsage, errs: "--per-worker"},
		{name: "no such demand", args: []string{"--demand=none.csv", "--per-worker=1"}, code: exitFailure, errs: "none.csv"},
		{name: "a demand that is none", args: []string{"--demand", manifest, "--per-worker=1"}, code: exitFailure, errs: "line 2: must have two columns"},
		{name: "a demand of many years", args: []string{"--demand", decade, "--per-worker=1"}, code: exitFailure, errs: "decisions 15s apart, and at most 10540800 can be replayed"},
		{name: "no such object", args: []string{"--demand", demand, "--per-worker=1", "--object=api"}, code: exitFailure, errs: "api"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, _, errs := do(t.Context(), t, nil, append([]string{"backtest", manifest}, tt.args...)...)
			if code != tt.code || !strings.Contains(errs, tt.errs) {
				t.Errorf("exit %d, %q; want %d and a word about %q", code, errs, tt.code, tt.errs)
			}
		})
	}
}
