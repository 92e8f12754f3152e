package kube

import (
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// View is what is known of one trigger of one ScaledObject, now.
type View struct {
	// Found tells that the ScaledObject exists.
	Found bool
	// Known tells that the API server has answered for ScaledObjects, lately enough,
	// and of one that is not Found that there is none.
	Known bool
	// UID is the ScaledObject's, empty unless Found.
	UID string

	// MetricType is the trigger's metricType; meaningless unless MetricTypeKnown.
	MetricType decision.MetricType
	// MetricTypeKnown tells that the trigger was found in the ScaledObject. It is
	// not found, either, for the moment between an edit of its metadata and KEDA's
	// taking the edit up: whoever knew the type of the metadata of before does
	// well to go on with it.
	MetricTypeKnown bool
	// MetricTypeConflict tells that several triggers have this metadata and
	// disagree about the type. The type is then not known.
	MetricTypeConflict bool

	// Paused tells that KEDA does not scale the object at all.
	Paused bool
	// PausedScaleIn and PausedScaleOut tell that KEDA forbids one direction.
	PausedScaleIn, PausedScaleOut bool

	// Target names the scale target, such as "deployments.apps/worker".
	Target string
	// HPA is the name of the live HPA, empty when there is none in sight.
	HPA string
	// LastScale is when that HPA last scaled the fleet, zero for never.
	LastScale time.Time
	// Fleet is the fleet as Kubernetes has it.
	Fleet decision.Fleet
}

// unknown is the view of an object of which nothing is known.
func unknown() View {
	return View{
		Fleet: decision.Fleet{Tolerance: decision.Tolerance{
			Down: decision.DefaultTolerance,
			Up:   decision.DefaultTolerance,
		}},
	}
}
