package demo

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/fleet"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// row is what is shown of one trigger.
type row struct {
	name, about string
	// yield is the newest one; known tells that there is a fresh one.
	yield              float64
	known              bool
	up, down, inactive float64
	band, reason, next string
	// spec and ready are the fleet as it is, desired what the scaler wants.
	spec, ready, desired int
	// shadow tells that the trigger moves nothing.
	shadow bool
}

// newRow says how one trigger stands.
func newRow(m *member, i int, s *engine.Status, p plan, now time.Time) row {
	r := m.fleet.Read()
	w := row{name: m.name, about: m.about, spec: r.Spec, ready: r.Ready, desired: r.Spec, band: "-", reason: "not asked yet", next: "the first call"}
	if i > 0 {
		w.name += "/" + m.triggers[i].metadata["metricName"]
		w.about = "a second trigger in shadow mode"
	}
	if s == nil || s.Trigger == nil {
		return w
	}
	policy := &s.Trigger.Policy
	w.up, w.down, w.inactive, w.shadow = policy.Up, policy.Down, policy.Inactive, policy.Shadow
	if s.Err != nil {
		w.reason, w.next = s.Err.Error(), "the next evaluation"
		return w
	}
	w.yield = s.Decision.Yield.Value
	w.known = s.Decision.Yield.OK && s.Age <= policy.MaxStaleness
	w.band, w.reason = s.Told.Band.String(), s.Told.Reason.Text()
	if w.shadow {
		w.reason = s.Decision.Reason.Text()
		w.desired = s.Decision.Desired
		w.next = "nothing: it only watches"
		return w
	}
	woken := s.Told.Reason == decision.WokenByQuery || s.Told.Reason == decision.WokenByYield
	switch {
	case woken:
		w.band, w.desired = Woken.String(), max(1, m.min)
	case s.Told.Replicas > 0:
		w.desired = s.Told.Replicas
	}
	w.next = next(m, s, &w, r, p, now)
	return w
}

// next says what comes next for a trigger, and when.
func next(m *member, s *engine.Status, w *row, r fleet.Reading, p plan, now time.Time) string {
	in := func(at time.Time) string { return brief(at.Sub(now)) }
	switch {
	case r.Spec == 0:
		return nextAtZero(m, s, in(p.poll))
	case s.Told.NoValue:
		return "no answer until there is data"
	case !s.Told.Active && !p.sleep.IsZero() && w.desired >= r.Spec:
		return "cooldown " + in(p.sleep)
	case w.desired != r.Spec:
		return fmt.Sprintf("HPA sync in %s, to %d", in(p.sync), w.desired)
	}
	switch s.Decision.Reason {
	case decision.IdlePending:
		return "scale-down in " + brief(s.Decision.Remaining())
	case decision.SaturatedPending:
		return "scale-up in " + brief(s.Decision.Remaining())
	case decision.GuardAbove:
		return "when the guard is 0"
	default:
	}
	if r.Ready < r.Spec {
		return "a worker ready in " + brief(r.NextReady)
	}
	return "HPA sync in " + in(p.sync)
}

// nextAtZero says what comes next for a fleet without replicas.
func nextAtZero(m *member, s *engine.Status, poll string) string {
	switch {
	case !s.Told.Active:
		return "asleep until woken"
	case m.push:
		return "the push wakes it"
	}
	return "KEDA's poll in " + poll
}

// brief formats a duration to the second, without a sign.
func brief(d time.Duration) string {
	s := max(0, d).Round(time.Second).String()
	if s = strings.TrimSuffix(s, "m0s"); !strings.HasSuffix(s, "s") {
		s += "m"
	}
	return s
}

// entry is one change worth a line.
type entry struct {
	at       time.Duration // since the start of the demo
	row      row
	from, to int
}

// String returns the line: time, fleet, yield, band, replicas, reason, and what
// comes next.
func (e entry) String() string {
	yield := "-"
	if e.row.known {
		yield = fmt.Sprintf("%.2f", e.row.yield)
	}
	return fmt.Sprintf("%s  %-12s  yield %-4s  %-10s  %7s  %s; next: %s", stamp(e.at), e.row.name, yield, e.row.band, e.size(), e.row.reason, e.row.next)
}

// size returns the replicas, or from which to which number they went.
func (e entry) size() string {
	if e.from == e.to {
		return strconv.Itoa(e.to)
	}
	return fmt.Sprintf("%d → %d", e.from, e.to)
}
