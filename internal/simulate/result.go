package simulate

import (
	"time"

	"github.com/infra-arch/zmy-scaler/internal/fleet"
)

// soon is within which a change in the other direction counts as a reversal.
const soon = 30 * time.Minute

// Result sums a run up.
type Result struct {
	// ReplicaHours is spec.replicas over time: what is paid for.
	ReplicaHours float64 `json:"replicaHours"`
	// SaturatedMinutes is how long the demand, with what waited, exceeded the
	// ready workers.
	SaturatedMinutes float64 `json:"saturatedMinutes"`
	// Changes counts the changes of spec.replicas, Reversals those against the
	// direction of the change before, within 30 minutes of it.
	Changes   int `json:"changes"`
	Reversals int `json:"reversals"`
	// PeakReplicas is the largest spec.replicas.
	PeakReplicas int `json:"peakReplicas"`
	// MeanUtilization is the busy share of the ready workers, 0 to 1.
	MeanUtilization float64 `json:"meanUtilization"`
}

// tally counts.
type tally struct {
	sum       Result
	saturated time.Duration
	paid      float64 // spec.replicas, in seconds of one
	able      float64 // ready workers, likewise
	done      float64

	direction int // of the last change
	changedAt time.Duration
}

// nothing is the backlog that is rounding.
const nothing = 1e-9

// worked counts a stretch of time.
func (t *tally) worked(d time.Duration, before, after fleet.Reading) {
	t.paid += float64(before.Spec) * d.Seconds()
	t.able += float64(before.Ready) * d.Seconds()
	t.done += after.Done - before.Done
	if after.Backlog > nothing {
		t.saturated += d
	}
}

// changed counts a change.
func (t *tally) changed(at time.Duration, from, to int) {
	direction := 1
	if to < from {
		direction = -1
	}
	t.sum.Changes++
	if t.direction == -direction && at-t.changedAt <= soon {
		t.sum.Reversals++
	}
	t.direction, t.changedAt = direction, at
	t.sum.PeakReplicas = max(t.sum.PeakReplicas, to)
}

func (t *tally) result() Result {
	r := t.sum
	r.ReplicaHours = t.paid / time.Hour.Seconds()
	r.SaturatedMinutes = t.saturated.Minutes()
	if t.able > 0 {
		r.MeanUtilization = min(1, t.done/t.able)
	}
	return r
}
