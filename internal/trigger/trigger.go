package trigger

import (
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Trigger is what a trigger's metadata asks for. It is not changed once
// it is evaluated.
type Trigger struct {
	// Policy is what the control law needs to know.
	Policy decision.Policy
	// Source is the name of a configured source.
	Source string
	// Queries holds the PromQL of each role; empty where there is none.
	Queries [zmy.NumRoles]string
	// MetricName is the metric's name, without KEDA's index.
	MetricName string
	// Target is the metric target, the load intensity in percent.
	Target float64
	// MetricType is valid only when MetricTypeGiven.
	MetricType      decision.MetricType
	MetricTypeGiven bool
	// Tolerance replaces the HPA's own when ToleranceGiven.
	Tolerance      decision.Tolerance
	ToleranceGiven bool
	// FromEnv lists the keys whose values only the environment of the workers
	// knows. [ParseManifest] alone leaves any.
	FromEnv []string

	// What cross-checks and derived defaults need.
	given        map[string]Value
	interval     time.Duration
	lookback     time.Duration
	maxStaleness time.Duration
}

// Trim drops what nobody needs who only evaluates the trigger: the metadata as it
// was written. The trigger cannot be confined any more.
func (t *Trigger) Trim() { t.given = nil }

// Value is one entry of the metadata as it was written.
type Value struct {
	// Key is the key as it was given, which may end in FromEnv.
	Key string
	// Text is the value.
	Text string
}

// Server is what a trigger needs to know of the server it is evaluated by.
type Server struct {
	// Interval is the server's grid; a trigger's own must be a multiple of it.
	Interval time.Duration
}

// Limits on what a trigger may ask for.
const (
	// MaxWindow is how many grid instants a window may hold.
	MaxWindow = 20_000
	// maxDuration keeps sums of durations far from overflowing.
	maxDuration = 31 * 24 * time.Hour
)
