package decision

import (
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// MetricType is how the HPA reads the metric.
type MetricType uint8

// The metric types of KEDA's external metrics.
const (
	// AverageValue: the value is divided by the replicas; KEDA's default.
	AverageValue MetricType = iota
	// Value: the value is taken as it is; its ratio to the target scales.
	Value
)

// String returns the name that a ScaledObject uses.
func (m MetricType) String() string {
	if m == Value {
		return "Value"
	}
	return "AverageValue"
}

// ScaleDownMode says how far a scale-down goes.
type ScaleDownMode uint8

// The scale-down modes.
const (
	// Safe goes toward 1, but not so far that the fleet would have to grow again.
	Safe ScaleDownMode = iota
	// Floor goes straight to 1.
	Floor
	// Proportional goes to the size at which the load is the target.
	Proportional
)

// String returns the name that a trigger uses.
func (m ScaleDownMode) String() string {
	switch m {
	case Safe:
		return "safe"
	case Floor:
		return "floor"
	case Proportional:
		return "proportional"
	}
	return "unknown mode"
}

// Policy is what the owner of a fleet asked for. A valid policy satisfies
//
//	0 <= Up < Down <= Inactive <= 1
//	1 - Down < Target < 1 - Up
//
// so that a fleet sized to Target lands in the hold band.
type Policy struct {
	// Grid is the grid the policy is evaluated on.
	Grid zmy.Grid

	// Up, Down and Inactive are the yields that bound the bands.
	Up, Down, Inactive float64
	// UpDelay and DownDelay are how long a band must have held.
	UpDelay, DownDelay time.Duration
	// Target is the load the fleet is sized to, a ratio (0.3).
	Target float64
	// TargetMilli is the metric target as the HPA sees it, in thousandths of
	// a percent point of load intensity (30 % is 30000).
	TargetMilli int64
	// Mode says how far a scale-down goes.
	Mode ScaleDownMode

	// HasCPU, HasWorkers, HasWake and HasGuard tell which queries exist
	// besides the yield's.
	HasCPU, HasWorkers, HasWake, HasGuard bool
	// CPUTarget is the CPU use the fleet is sized to; CPUWeight, 0 to 1, its
	// say in the pressure.
	CPUTarget, CPUWeight float64

	// Lookback is the stretch of time one sample of the yield is averaged over.
	Lookback time.Duration
	// MaxStaleness is how old the newest yield may be to decide on it.
	MaxStaleness time.Duration
	// HoldFor is how long missing data is answered with "hold".
	HoldFor time.Duration
	// ErrorOnNoData answers missing data with an error at once.
	ErrorOnNoData bool

	// GracefulLanding lets a fleet become inactive only once it is down to 1.
	GracefulLanding bool
	// Shadow computes everything and moves nothing.
	Shadow bool
}

// Ticks returns how many grid instants a window must hold for this policy: the
// delays and the lookback before the newest good yield, which itself may be
// MaxStaleness old (as may a count of workers), and never less than HoldFor.
func (p *Policy) Ticks() int {
	d := max(p.UpDelay, p.DownDelay) + max(p.Lookback, p.MaxStaleness) + p.MaxStaleness
	return p.Grid.StepsUp(max(d, p.HoldFor)) + 1
}
