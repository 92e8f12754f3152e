package lint

import (
	"strings"
	"testing"
)

// TestFallbackZero: what an outage does depends on the behavior, and on the minimum.
func TestFallbackZero(t *testing.T) {
	t.Parallel()
	text := readFile(t, "testdata/broken/fallback-zero.yaml")
	const stops, shrinks = "an outage stops the fleet", "an outage takes the fleet to its minimum of 1"
	for _, tt := range []struct{ behavior, bounds, want string }{
		{"static", "minReplicaCount: 1", shrinks},
		{"currentReplicasIfLower", "minReplicaCount: 1", shrinks},
		{"currentReplicas", "minReplicaCount: 1", ""},
		{"currentReplicasIfHigher", "minReplicaCount: 1", ""},
		{"static", "minReplicaCount: 0", stops},
		{"currentReplicasIfHigher", "minReplicaCount: 0", stops},
		{"currentReplicas", "minReplicaCount: 1\n  idleReplicaCount: 0", stops},
	} {
		r := check(t, "x.yaml", strings.NewReplacer("minReplicaCount: 1", tt.bounds, "replicas: 0", "replicas: 0, behavior: "+tt.behavior).Replace(text), options())
		got := ""
		for _, f := range r.Findings {
			if f.ID == "fallback-zero" {
				_, got, _ = strings.Cut(f.Reason, ": ")
			}
		}
		if got != tt.want {
			t.Errorf("%s, %s: %q, want %q", tt.behavior, tt.bounds, got, tt.want)
		}
	}
}
