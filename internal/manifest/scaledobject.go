package manifest

import (
	"fmt"
	"strings"
	"time"
)

// ScaledObject is what is read of a KEDA ScaledObject. Numbers that the manifest
// does not give have KEDA's defaults.
type ScaledObject struct {
	// Namespace is empty where the manifest leaves it to kubectl.
	Namespace, Name string
	// TargetKind and TargetName are the scale target; the kind is a Deployment
	// where nothing is said.
	TargetKind, TargetName string

	MinReplicas, MaxReplicas int
	// IdleReplicas is nil where there is none.
	IdleReplicas                                           *int
	PollingInterval, CooldownPeriod, InitialCooldownPeriod time.Duration
	// Fallback is nil where there is none.
	Fallback *Fallback
	// Formula is that of advanced.scalingModifiers, empty where there is none.
	Formula string
	// Behavior is what the HPA will have.
	Behavior Behavior
	Triggers []Trigger

	// Faults is all for which the API server or KEDA would refuse the object,
	// but for what stands in the metadata of a trigger.
	Faults []Fault

	places places
}

// Where returns the place of the key at a path such as
// "spec.triggers[0].metadata", or of the nearest one around it that is there.
func (so *ScaledObject) Where(path string) Position { return so.places.find(path) }

// Has reports whether the manifest has the key at a path.
func (so *ScaledObject) Has(path string) bool {
	_, ok := so.places[path]
	return ok
}

// Fallback is what KEDA does after repeated errors of a trigger.
type Fallback struct {
	FailureThreshold, Replicas int
	// Behavior is one of KEDA's names, "static" where nothing is said.
	Behavior string
}

// Trigger is one trigger of a ScaledObject, of any type.
type Trigger struct {
	Type, Name string
	// MetricType is as it is given, empty where it is not.
	MetricType       string
	UseCachedMetrics bool
	// Metadata holds the texts as they are given. A key that ends in FromEnv
	// holds the name of an environment variable of the workers.
	Metadata map[string]string

	path   string
	places places
}

// External reports whether KEDA asks an external scaler for the trigger.
func (t *Trigger) External() bool { return t.Type == "external" || t.Type == "external-push" }

// Where returns the place of the key at a path below the trigger, such as
// "metadata.zmyQuery", or of the nearest one around it that is there. An empty
// path is the trigger itself.
func (t *Trigger) Where(path string) Position {
	return t.places.find(strings.TrimSuffix(t.path+"."+path, "."))
}

// Position is a place in a file. Lines and columns count from 1, columns in
// characters.
type Position struct {
	File         string
	Line, Column int
}

// String returns the place as compilers print it.
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Fault is one thing that is wrong with the form of a manifest.
type Fault struct {
	Position Position
	// Problem names the value and says what would be right.
	Problem string
}

// Error returns the place and the problem.
func (f Fault) Error() string { return f.Position.String() + ": " + f.Problem }

// places knows where each path of a document stands.
type places map[string]Position

// find returns the place of a path, or of the nearest one around it.
func (p places) find(path string) Position {
	for path != "" {
		if at, ok := p[path]; ok {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return p[""]
}
