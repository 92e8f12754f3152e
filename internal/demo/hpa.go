package demo

import (
	"math"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// hpa stands in for the HPA that KEDA makes of a ScaledObject: the arithmetic of
// the metrics, then the behavior, then the bounds. It remembers what the real
// one remembers.
type hpa struct {
	min, max  int
	tolerance decision.Tolerance
	up, down  rules

	changes         []change
	recommendations []change
}

// rules are one direction of an HPA's behavior. Of the policies the one that
// allows the most counts; none allows everything.
type rules struct {
	window   time.Duration
	policies []policy
}

// policy allows a change of some pods, or percent, within a period.
type policy struct {
	pods, percent int
	period        time.Duration
}

// change is a number of replicas at a time: a difference or a recommendation.
type change struct {
	at time.Time
	n  int
}

// counts are the numbers of replicas that the HPA reads.
type counts struct{ spec, status, ready int }

// reading is what the HPA reads of one external metric, in thousandths.
type reading struct {
	metricType    decision.MetricType
	usage, target int64
	err           error
}

// newHPA returns an HPA as KEDA makes it, with the behavior that the project's
// samples recommend: the defaults upward, and downward no window of its own,
// since the scaler has waited already.
func newHPA(minReplicas, maxReplicas int) *hpa {
	return &hpa{
		min: max(1, minReplicas), max: maxReplicas,
		tolerance: decision.Tolerance{Down: decision.DefaultTolerance, Up: decision.DefaultTolerance},
		up: rules{policies: []policy{
			{pods: 4, period: 15 * time.Second},
			{percent: 100, period: 15 * time.Second},
		}},
	}
}

// sync returns what spec.replicas becomes. At zero the HPA does nothing.
func (h *hpa) sync(now time.Time, c counts, metrics []reading) int {
	switch {
	case c.spec == 0:
		return 0
	case c.spec > h.max:
		return h.max
	case c.spec < h.min:
		return h.min
	}
	want, ok := h.propose(c, metrics)
	if !ok {
		return c.spec
	}
	want = h.stabilize(now, c.spec, want)
	want = min(max(h.limit(now, c.spec, want), h.min), h.max)
	if want != c.spec {
		h.changes = append(recent(h.changes, now, h.longest()), change{now, want - c.spec})
	}
	return want
}

// propose returns the largest proposal of all metrics. While one of them cannot
// be read nothing is taken away.
func (h *hpa) propose(c counts, metrics []reading) (want int, ok bool) {
	invalid := false
	for _, m := range metrics {
		if m.err != nil || m.target <= 0 {
			invalid = true
			continue
		}
		n := 0
		if m.metricType == decision.Value {
			n = decision.HPAValue(m.usage, m.target, c.spec, c.ready, h.tolerance)
		} else {
			n = decision.HPAAverageValue(m.usage, m.target, c.status, h.tolerance)
		}
		want, ok = max(want, n), true
	}
	return want, ok && (!invalid || want >= c.spec)
}

// stabilize takes the most careful of the recommendations of the windows.
func (h *hpa) stabilize(now time.Time, spec, want int) int {
	h.recommendations = append(recent(h.recommendations, now, max(h.up.window, h.down.window)), change{now, want})
	low, high := want, want
	for _, r := range h.recommendations {
		if now.Sub(r.at) < h.up.window {
			low = min(low, r.n)
		}
		if now.Sub(r.at) < h.down.window {
			high = max(high, r.n)
		}
	}
	switch {
	case low > spec:
		return low
	case high < spec:
		return high
	}
	return spec
}

// limit keeps a change within what the policies allow in their periods.
func (h *hpa) limit(now time.Time, spec, want int) int {
	switch {
	case want > spec && len(h.up.policies) > 0:
		most := spec
		for _, p := range h.up.policies {
			began := h.before(now, spec, p.period)
			grown := began + p.pods
			if p.percent > 0 {
				grown = int(math.Ceil(float64(began) * (1 + float64(p.percent)/100)))
			}
			most = max(most, grown)
		}
		return min(want, most)
	case want < spec && len(h.down.policies) > 0:
		least := spec
		for _, p := range h.down.policies {
			began := h.before(now, spec, p.period)
			shrunk := began - p.pods
			if p.percent > 0 {
				shrunk = int(float64(began) * (1 - float64(p.percent)/100))
			}
			least = min(least, shrunk)
		}
		return max(want, least)
	}
	return want
}

// before returns how many replicas there were when the period began.
func (h *hpa) before(now time.Time, spec int, period time.Duration) int {
	for _, c := range recent(h.changes, now, period) {
		spec -= c.n
	}
	return spec
}

// longest returns the longest period of all policies.
func (h *hpa) longest() time.Duration {
	var d time.Duration
	for _, r := range []rules{h.up, h.down} {
		for _, p := range r.policies {
			d = max(d, p.period)
		}
	}
	return d
}

// recent returns the changes that are younger than d.
func recent(list []change, now time.Time, d time.Duration) []change {
	for len(list) > 0 && now.Sub(list[0].at) >= d {
		list = list[1:]
	}
	return list
}
