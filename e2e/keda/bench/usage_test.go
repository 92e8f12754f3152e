package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tick is the unit of CPU time that Linux tells.
const tick = time.Second / 100

// cpu returns the CPU time that a process has used.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	// The name in parentheses may hold anything; fields are counted behind it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const user, system = 14 - 3, 15 - 3
	return tick * time.Duration(parse(t, fields[user])+parse(t, fields[system]))
}

// resident returns the memory that a process has, in MiB.
func resident(t *testing.T, pid int) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kib, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return parse(t, strings.Fields(kib)[0]) / 1024
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// profile writes profiles of the scaler where they are asked for: CPU over an
// interval, and memory.
func (s *scaler) profile(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	if *profiles == "" {
		return
	}
	for kind, path := range map[string]string{"cpu": fmt.Sprintf("profile?seconds=%.0f", s.interval.Seconds()), "heap": "heap?gc=1"} {
		content := get(ctx, t, "http://"+s.HTTP+"/debug/pprof/"+path)
		if err := os.WriteFile(filepath.Join(*profiles, name+"-"+kind+".pprof"), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// latencies are how long calls took.
type latencies []time.Duration

// at returns the quantile; it sorts.
func (l latencies) at(share float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	slices.Sort(l)
	return l[int(share*float64(len(l)-1))]
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
