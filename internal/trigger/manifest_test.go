package trigger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

// TestParseManifest: in a manifest a key from the environment holds a name, which
// is not to be read as a value.
func TestParseManifest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		set     map[string]string
		fromEnv []string
		faults  string
	}{
		{name: "nothing from the environment"},
		{name: "a number", set: map[string]string{"scaleDownDelayFromEnv": "DELAY"}, fromEnv: []string{"scaleDownDelay"}},
		{name: "the query", set: map[string]string{"zmyQuery": "-", "zmyQueryFromEnv": "QUERY"}, fromEnv: []string{"zmyQuery"}},
		{name: "a threshold that another one is compared with", set: map[string]string{"scaleUpThreshold": "0.95", "scaleDownThresholdFromEnv": "DOWN"}, fromEnv: []string{"scaleDownThreshold"}},
		{name: "what a weight needs", set: map[string]string{"cpuWeight": "0.3", "cpuQueryFromEnv": "CPU"}, fromEnv: []string{"cpuQuery"}},
		{name: "the interval", set: map[string]string{"intervalFromEnv": "I", "maxStaleness": "1s"}, fromEnv: []string{"interval"}},
		{name: "both forms", set: map[string]string{"mode": "active", "modeFromEnv": "MODE"}, faults: "mode: given twice, as mode and modeFromEnv: keep one"},
		{name: "an unknown key", set: map[string]string{"modesFromEnv": "MODE"}, faults: `modesFromEnv "MODE": unknown key; did you mean "mode"?`},
		{name: "a fault elsewhere", set: map[string]string{"modeFromEnv": "MODE", "scaleUpDelay": "soon"}, faults: `scaleUpDelay "soon": must be a number of seconds, or a duration such as 90s or 5m`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := trigger.ParseManifest(with(tt.set), server)
			if err != nil {
				if err.Error() != tt.faults {
					t.Errorf("got %v, want %q", err, tt.faults)
				}
				return
			}
			if tt.faults != "" {
				t.Errorf("no fault, want %q", tt.faults)
			}
			if diff := cmp.Diff(tt.fromEnv, got.FromEnv); diff != "" {
				t.Errorf("from the environment (-want +got):\n%s", diff)
			}
			if got.Policy.Down != 0.9 || got.Policy.Grid.Interval() != server.Interval {
				t.Errorf("unknown values must have their defaults: %+v", got.Policy)
			}
		})
	}
}
