package lint

import (
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// TestLargestFleet: no replay counts all workers at each turn, or it would not end here.
func TestLargestFleet(t *testing.T) {
	t.Parallel()
	text := strings.Replace(readFile(t, "testdata/broken/stranded.yaml"), "maxReplicaCount: 60", "maxReplicaCount: 100000000", 1)
	r := check(t, "x.yaml", text, options())
	// One worker a minute takes far longer than the replay, so that nothing is said of it.
	if len(r.Findings) != 1 || r.Findings[0].ID != "step-in-tolerance" {
		t.Errorf("found %+v", r.Findings)
	}
}

// TestHugeNumbers: neither a tolerance nor a fleet beyond all reason takes for ever.
// It measures what is allocated, and has the process for itself.
func TestHugeNumbers(t *testing.T) {
	text := readFile(t, "testdata/broken/stranded.yaml")
	tolerance := strings.NewReplacer("maxReplicaCount: 60", "maxReplicaCount: 101", "scaleDown:", "scaleUp: {tolerance: 1E}\n        scaleDown:").Replace(text)
	r := check(t, "x.yaml", tolerance, options())
	for _, f := range r.Findings {
		if strings.Contains(f.Reason, "takes no step up of less than") {
			t.Errorf("found %s: %s", f.ID, f.Reason)
		}
	}
	// The law goes too far down on an old yield, and the fleet grows again and again.
	fleet := strings.NewReplacer("maxReplicaCount: 60", "maxReplicaCount: 2147483647", "zmyQuery:", "scaleDownMode: floor\n      scaleDownDelay: '0'\n      zmyQuery:").Replace(text)
	fleet = regexp.MustCompile(`\{type: Pods.*\}`).ReplaceAllString(fleet, "{type: Percent, value: 99, periodSeconds: 15}")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	check(t, "x.yaml", fleet, options())
	runtime.ReadMemStats(&after)
	if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 512 {
		t.Errorf("took %d MiB", grown)
	}
}
