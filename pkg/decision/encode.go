package decision

import "math"

// maxMilli bounds what is told, far above any real fleet and below where a
// float64 of thousandths stops being exact.
const maxMilli = int64(1) << 52

// EncodeValue returns the usage, in thousandths, that makes the HPA compute
// desired under metric type Value: the largest one at or below
// target*desired/ready for which its own arithmetic gives desired. Where no
// usage does, it is that of the nearest count toward spec, but for a scale-up
// never one below the target. Holding, and a fleet
// without ready pods, are told the target itself: a ratio of 1, which the HPA
// answers with spec.replicas even during the surge of a rolling update.
func EncodeValue(target int64, desired, spec, ready int, tol Tolerance) int64 {
	if ready <= 0 || spec <= 0 {
		return target
	}
	toward := 1
	if desired > spec {
		toward = -1
		desired = max(spec, min(desired, int(min(maxMilli/target, 1<<31)*int64(ready))))
	}
	for n := desired; n != spec; n += toward {
		v, ok := valueFor(target, n, spec, ready, tol)
		if !ok {
			continue
		}
		if n != desired && desired > spec && v < target {
			// Growing by a ratio below 1, and not even to desired: should spec
			// be an old count, the HPA would take it for a step down.
			break
		}
		return v
	}
	return target
}

// valueFor returns the usage for exactly n replicas. The usages that round up
// to n are an interval; its upper end is the best guess where the ratio is
// above the tolerance, and the first usage below the tolerance where it is not.
func valueFor(target int64, n, spec, ready int, tol Tolerance) (int64, bool) {
	top := int64(math.Floor(float64(target) * float64(n) / float64(ready)))
	if n <= 0 {
		return 0, false
	}
	below := int64(math.Ceil(float64((1-tol.Down)*float64(target)))) - 1
	for _, v := range [...]int64{top, top - 1, min(top, below), min(top, below) - 1} {
		if v > 0 && HPAValue(v, target, spec, ready, tol) == n {
			return v, true
		}
	}
	return 0, false
}

// EncodeAverageValue returns the usage, in thousandths, that makes the HPA
// compute desired under metric type AverageValue: target*desired, or, where the
// HPA would answer with a surged status.replicas instead, a usage just below the
// tolerance that still rounds up to desired. Where there is no such usage,
// target*desired is told all the same.
func EncodeAverageValue(target int64, desired int, status Count, tol Tolerance) int64 {
	v := min(maxMilli, satMul(target, int64(desired)))
	if desired <= 0 || !status.Known || status.N <= 0 || HPAAverageValue(v, target, status.N, tol) == desired {
		return v
	}
	below := int64(math.Ceil(float64((1-tol.Down)*float64(target)*float64(status.N)))) - 1
	for _, u := range [...]int64{below, below - 1} {
		if u > 0 && u < v && HPAAverageValue(u, target, status.N, tol) == desired {
			return u
		}
	}
	return v
}

// satMul multiplies two numbers that are not negative, without overflow.
func satMul(a, b int64) int64 {
	if a != 0 && b > maxMilli/a {
		return maxMilli
	}
	return a * b
}
