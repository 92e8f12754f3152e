package autoscaler

import (
	"time"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// SyncPeriod is how often an HPA looks at its metrics by default.
const SyncPeriod = 15 * time.Second

// HPA is the HPA that KEDA makes of a ScaledObject: the arithmetic of the
// metrics, then stabilization, then the policies, then the bounds. Make one
// with [NewHPA]. It is not safe for concurrent use.
type HPA struct {
	min, max  int
	behavior  manifest.Behavior
	tolerance decision.Tolerance

	grown, shrunk   []change
	recommendations []change
	met             bool // the first recommendation is there
}

// change is a number of replicas at a time: a difference or a recommendation.
type change struct {
	at int64 // Unix nanoseconds: lists of an hour are walked at every turn
	n  int
}

// Counts are the numbers of replicas that the HPA reads.
type Counts struct{ Spec, Status, Ready int }

// Metric is what the HPA reads of one external metric, in thousandths.
type Metric struct {
	Type          decision.MetricType
	Usage, Target int64
	// Failed tells that the metric could not be read.
	Failed bool
}

// NewHPA returns an HPA that has not looked yet. KEDA gives an HPA a minimum of
// at least 1.
func NewHPA(minReplicas, maxReplicas int, b manifest.Behavior) *HPA {
	return &HPA{min: max(1, minReplicas), max: maxReplicas, behavior: b, tolerance: Tolerance(b)}
}

// Tolerance returns the ratios that an HPA with this behavior ignores.
func Tolerance(b manifest.Behavior) decision.Tolerance {
	return decision.Tolerance{Down: b.Down.Tolerance, Up: b.Up.Tolerance}
}

// Sync returns what spec.replicas becomes. At zero the HPA does nothing.
func (h *HPA) Sync(now time.Time, c Counts, metrics ...Metric) int {
	if !h.met {
		// The size that it finds counts as recommended, so that a new HPA does
		// not shrink a fleet at once.
		h.met = true
		h.recommendations = append(h.recommendations, change{now.UnixNano(), c.Spec})
	}
	switch {
	case c.Spec == 0:
		return 0
	case c.Spec > h.max:
		return h.scaled(now, c.Spec, h.max)
	case c.Spec < h.min:
		return h.scaled(now, c.Spec, h.min)
	}
	want, ok := h.propose(c, metrics)
	if !ok {
		return c.Spec
	}
	return h.scaled(now, c.Spec, h.limit(now, c.Spec, h.stabilize(now, c.Spec, want)))
}

// scaled remembers a change.
func (h *HPA) scaled(now time.Time, from, to int) int {
	switch {
	case !h.behavior.Given:
	case to > from:
		h.grown = remember(h.grown, now, to-from, longest(h.behavior.Up))
	case to < from:
		h.shrunk = remember(h.shrunk, now, from-to, longest(h.behavior.Down))
	}
	return to
}

// remember puts a change in the place of one that is older than d, or after all
// others. As in Kubernetes d is that of the policies of the same direction, though
// those of the other direction may look back for longer.
func remember(list []change, now time.Time, n int, d time.Duration) []change {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].at < now.UnixNano()-int64(d) {
			list[i] = change{now.UnixNano(), n}
			return list
		}
	}
	return append(list, change{now.UnixNano(), n})
}

// propose returns the largest proposal of all metrics. While one of them cannot
// be read nothing is taken away.
func (h *HPA) propose(c Counts, metrics []Metric) (want int, ok bool) {
	invalid := false
	for _, m := range metrics {
		if m.Failed || m.Target <= 0 {
			invalid = true
			continue
		}
		n := 0
		if m.Type == decision.Value {
			n = decision.HPAValue(m.Usage, m.Target, c.Spec, c.Ready, h.tolerance)
		} else {
			n = decision.HPAAverageValue(m.Usage, m.Target, c.Status, h.tolerance)
		}
		want, ok = max(want, n), true
	}
	return want, ok && (!invalid || want >= c.Spec)
}

// stabilize takes the most careful of the recommendations of the windows.
func (h *HPA) stabilize(now time.Time, spec, want int) int {
	up, down := h.behavior.Up.Window, h.behavior.Down.Window
	if !h.behavior.Given {
		down++ // without a behavior the end of the window belongs to it
	}
	h.recommendations = append(recent(h.recommendations, now, max(up, down)), change{now.UnixNano(), want})
	low, high := want, want
	for _, r := range h.recommendations {
		age := time.Duration(now.UnixNano() - r.at)
		if age < up {
			low = min(low, r.n)
		}
		if age < down {
			high = max(high, r.n)
		}
	}
	switch {
	case !h.behavior.Given:
		return high // it has no window upward, and does not look at the present size
	case low > spec:
		return low
	case high < spec:
		return high
	}
	return spec
}

// limit keeps a change within what the policies allow in their periods, and
// within the bounds.
func (h *HPA) limit(now time.Time, spec, want int) int {
	began := func(period time.Duration) int { return h.before(now, spec, period) }
	switch {
	case !h.behavior.Given:
		want = min(want, max(2*spec, 4))
	case want > spec:
		want = min(want, limit(h.behavior.Up, spec, began, +1))
	case want < spec:
		want = max(want, limit(h.behavior.Down, spec, began, -1))
	}
	return max(h.min, min(want, h.max))
}

// before returns how many replicas there were when the period began.
func (h *HPA) before(now time.Time, spec int, period time.Duration) int {
	began := now.UnixNano() - int64(period)
	for _, c := range h.grown {
		if c.at > began {
			spec -= c.n
		}
	}
	for _, c := range h.shrunk {
		if c.at > began {
			spec += c.n
		}
	}
	return spec
}

// recent returns the changes that are younger than d. Where there are none it
// keeps the array, so that a long run does not allocate at each turn.
func recent(list []change, now time.Time, d time.Duration) []change {
	oldest := now.UnixNano() - int64(d)
	for i := range list {
		if list[i].at > oldest {
			return list[i:]
		}
	}
	return list[:0]
}
