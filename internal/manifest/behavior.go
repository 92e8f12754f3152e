package manifest

import "time"

// What the HPA has where nothing else is said, as Kubernetes 1.36 fills it in in
// pkg/apis/autoscaling/v2/defaults.go.
const (
	// DefaultDownWindow is the kube-controller-manager's.
	DefaultDownWindow = 5 * time.Minute
	// DefaultTolerance is the kube-controller-manager's.
	DefaultTolerance = 0.1

	defaultPeriod      = 15 * time.Second
	defaultPercent     = 100
	defaultUpPods      = 4
	longestPeriod      = 1800 * time.Second
	longestWindow      = 3600 * time.Second
	typePods           = "Pods"
	typePercent        = "Percent"
	defaultMaxReplicas = 100
)

// The choices between policies.
const (
	SelectMax      = "Max"
	SelectMin      = "Min"
	SelectDisabled = "Disabled"
)

// Behavior is how fast an HPA changes the size of its target.
type Behavior struct {
	// Given is false when the manifest has no behavior at all. The HPA then asks
	// no policies, but grows to no more than max(2 x replicas, 4) in one sync.
	Given    bool
	Up, Down Rules
}

// Rules are one direction of a behavior.
type Rules struct {
	// WindowGiven is false when Window is the default.
	WindowGiven bool
	// Window is how long the most careful recommendation counts.
	Window time.Duration
	// Policies are never empty.
	Policies []Policy
	// Select says which policy counts: the one that allows most (Max), least
	// (Min), or none (Disabled).
	Select string
	// Tolerance is the share of a change that the HPA ignores.
	Tolerance float64
}

// Policy allows a change of so many pods, or percent of the fleet, in a period.
// One of the two numbers is 0.
type Policy struct {
	Pods, Percent int
	Period        time.Duration
}

// DefaultBehavior returns what an HPA has without any.
func DefaultBehavior() Behavior {
	percent := Policy{Percent: defaultPercent, Period: defaultPeriod}
	return Behavior{
		Up: Rules{
			Policies: []Policy{{Pods: defaultUpPods, Period: defaultPeriod}, percent},
			Select:   SelectMax, Tolerance: DefaultTolerance,
		},
		Down: Rules{
			Window: DefaultDownWindow, Policies: []Policy{percent},
			Select: SelectMax, Tolerance: DefaultTolerance,
		},
	}
}

// Disabled reports whether the HPA may not go in this direction at all.
func (r Rules) Disabled() bool { return r.Select == SelectDisabled }
