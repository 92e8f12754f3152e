package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTune(t *testing.T) {
	t.Parallel()
	manifest, demand := replayFiles(t)
	code, out, errs := do(t.Context(), t, nil, "tune", manifest, "--demand", demand, "--per-worker", "100", "--policies", "20", "-o", "json")
	if code != exitClean {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var report struct {
		Baseline struct{ ReplicaHours float64 }
		Front    []struct {
			Metadata    map[string]string
			Train, Test struct{ ReplicaHours float64 }
		}
		Recommended   int
		BaselineFront []struct {
			Target, Lookback, Stabilization *int
			Train, Test                     *struct{}
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Front) == 0 || report.Recommended >= len(report.Front) || len(report.BaselineFront) == 0 || report.Baseline.ReplicaHours <= 0 {
		t.Fatalf("%+v", report)
	}
	best := report.Front[report.Recommended]
	if best.Metadata["triggerThreshold"] == "" || best.Train.ReplicaHours <= 0 || best.Test.ReplicaHours <= 0 {
		t.Errorf("recommended %+v", best)
	}
	if p := report.BaselineFront[0]; p.Target == nil || p.Lookback == nil || p.Stabilization == nil || p.Train == nil || p.Test == nil {
		t.Errorf("a plain trigger of the front: %+v", p)
	}
	code, out, errs = do(t.Context(), t, nil, "tune", manifest, "--demand", demand, "--per-worker", "100", "--policies", "20")
	if code != exitClean || !strings.Contains(out, "metadata of the recommended policy") {
		t.Errorf("exit %d: %s\n%s", code, out, errs)
	}
}

func TestTuneRefuses(t *testing.T) {
	t.Parallel()
	manifest, demand := replayFiles(t)
	for arg, want := range map[string]string{"--policies=0": "--policies 0", "--format=html": "must be table|json", "--per-worker=0": "--per-worker"} {
		code, _, errs := do(t.Context(), t, nil, "tune", manifest, "--demand", demand, "--per-worker", "100", arg)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("%s: exit %d, %s", arg, code, errs)
		}
	}
}
