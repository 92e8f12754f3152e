package autoscaler

import (
	"math"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
)

// limit returns the size that the policies of a direction allow, +1 for growing
// and -1 for shrinking, given the size there was when each policy's period began.
// It is never on the other side of the present size.
func limit(r manifest.Rules, spec int, began func(time.Duration) int, direction int) int {
	if r.Disabled() {
		return spec
	}
	most := 0
	for i, p := range r.Policies {
		n := reach(p, began(p.Period), direction)
		further := (n-most)*direction > 0
		if i == 0 || further == (r.Select != manifest.SelectMin) {
			most = n
		}
	}
	if (most-spec)*direction < 0 {
		return spec
	}
	return most
}

// reach is how far one policy goes from the size its period began with. A percent
// of growth is rounded up and what is left after shrinking is rounded down, as
// Kubernetes does.
func reach(p manifest.Policy, began, direction int) int {
	if p.Pods > 0 {
		return began + direction*p.Pods
	}
	size := float64(began) * (1 + float64(direction*p.Percent)/100)
	if direction > 0 {
		return int(math.Ceil(size))
	}
	return int(size)
}

// longest returns the longest period of the policies.
func longest(r manifest.Rules) time.Duration {
	var d time.Duration
	for _, p := range r.Policies {
		d = max(d, p.Period)
	}
	return d
}
