package decision

import "math"

// The HPA's arithmetic for one external metric, as Kubernetes 1.36 has it in
// pkg/controller/podautoscaler/replica_calculator.go
// (GetExternalMetricReplicas, GetExternalPerPodMetricReplicas). Values and
// targets are in thousandths, as there.

// within reports whether the HPA ignores a ratio.
func (t Tolerance) within(ratio float64) bool {
	return 1-t.Down <= ratio && ratio <= 1+t.Up
}

// HPAValue returns the replicas the HPA computes under metric type Value from a
// usage, for a target with the given spec.replicas and ready pods.
func HPAValue(usage, target int64, spec, ready int, tol Tolerance) int {
	ratio := float64(usage) / float64(target)
	if spec == 0 {
		return saturate(math.Ceil(ratio))
	}
	if tol.within(ratio) {
		return spec
	}
	return saturate(math.Ceil(float64(ratio * float64(ready))))
}

// HPAAverageValue returns the replicas the HPA computes under metric type
// AverageValue from a usage, for a target with the given status.replicas.
func HPAAverageValue(usage, target int64, status int, tol Tolerance) int {
	ratio := float64(usage) / float64(float64(target)*float64(status))
	if tol.within(ratio) {
		return status
	}
	return saturate(math.Ceil(float64(usage) / float64(target)))
}

// saturate converts a number of replicas the way the HPA does.
func saturate(n float64) int {
	if n > math.MaxInt32 {
		return math.MaxInt32
	}
	return int(n)
}

// smallestStep returns the smallest count above r that the HPA acts on.
func smallestStep(r int, up float64) int {
	n := max(r+1, int(float64(r)*(1+up)))
	for float64(n)/float64(r) <= 1+up {
		n++
	}
	return n
}
