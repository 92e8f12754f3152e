package lint

import (
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/infra-arch/zmy-scaler/internal/autoscaler"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

func delayRules() []Rule {
	return []Rule{
		{
			ID: "hpa-default-window", Severity: Warning,
			Title:  "no HPA behavior, or none for scaling down",
			Reason: "The HPA then waits 300 seconds of its own before each step down, on top of the trigger's scaleDownDelay, and takes its steps by default policies.",
			Fix:    "Write advanced.horizontalPodAutoscalerConfig.behavior with scaleDown.stabilizationWindowSeconds: 0 and policies of your choice.",
			parsed: checkDefaultWindow,
		},
		{
			ID: "double-delay", Severity: Warning,
			Title:  "two delays that add up",
			Reason: "The trigger waits for its delay, and then the HPA for its stabilization window, in which it remembers the recommendations of before.",
			Fix:    "Set stabilizationWindowSeconds: 0 and keep the trigger's delay, which looks at the yield itself.",
			parsed: checkDoubleDelay,
		},
		{
			ID: "lookback-exceeds-delay", Severity: Warning,
			Title:  "a lookback longer than scaleDownDelay",
			Reason: "Every sample is an average over the lookback. In a delay that is shorter the samples are nearly one and the same average, so that it confirms nothing, and a peak within it is diluted away.",
			Fix:    "Make scaleDownDelay at least as long as the ranges in zmyQuery, or the ranges shorter.",
			parsed: checkLookback,
		},
		{
			ID: "hidden-lookback", Severity: Warning,
			Title:  "a range over a recording rule without zmyLookback",
			Reason: "A recording rule may average over a range of its own, which the query does not show. With too short a lookback the work is estimated wrongly while the fleet changes. A name with a colon is a rule's by convention.",
			Fix:    "Set zmyLookback to the whole stretch of time that one sample averages over.",
			parsed: checkHiddenLookback,
		},
		{
			ID: "time-to-zero", Severity: Info,
			Title:  "a time to zero that is longer than the manifest says",
			Reason: "The delays until an idle fleet is at zero add up, and some of them nobody wrote down.",
			Fix:    "Write down scaleDownDelay and cooldownPeriod, and choose them so that their sum is what you want.",
			parsed: checkTimeToZero,
		},
	}
}

const downWindow = "/spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown.stabilizationWindowSeconds"

func checkDefaultWindow(s *subject, say say) {
	rules := s.of.Behavior.Down
	if delay := s.trigger.Policy.DownDelay; s.decides() && !rules.WindowGiven && !rules.Disabled() && delay > 0 && !s.unknown("scaleDownDelay") {
		say(downWindow, "scaling down waits %s: scaleDownDelay %s, then %s that the HPA has by default", short(delay+rules.Window), short(delay), short(rules.Window))
	}
}

func checkDoubleDelay(s *subject, say say) {
	if !s.decides() {
		return
	}
	p, b := &s.trigger.Policy, s.of.Behavior
	if b.Down.WindowGiven && b.Down.Window > 0 && p.DownDelay > 0 && !s.unknown("scaleDownDelay") {
		say(downWindow, "scaling down waits %s: scaleDownDelay %s, then the HPA's window %s", short(p.DownDelay+b.Down.Window), short(p.DownDelay), short(b.Down.Window))
	}
	if b.Up.Window > 0 && p.UpDelay > 0 && !s.unknown("scaleUpDelay") {
		say(strings.Replace(downWindow, "scaleDown", "scaleUp", 1), "scaling up waits %s: scaleUpDelay %s, then the HPA's window %s", short(p.UpDelay+b.Up.Window), short(p.UpDelay), short(b.Up.Window))
	}
}

func checkLookback(s *subject, say say) {
	p := &s.trigger.Policy
	if s.unknown("zmyQuery", "zmyLookback", "scaleDownDelay") || p.Lookback <= p.DownDelay || p.DownDelay == 0 && p.Lookback <= p.Grid.Interval() {
		return
	}
	key := "metadata.zmyQuery"
	if s.given("zmyLookback") {
		key = "metadata.zmyLookback"
	}
	say(key, "one sample averages over %s, and scaleDownDelay is %s", short(p.Lookback), short(p.DownDelay))
}

func checkHiddenLookback(s *subject, say say) {
	if s.given("zmyLookback") {
		return
	}
	if name := promquery.HiddenLookback(s.trigger.Queries[zmy.Yield]); name != "" {
		say("metadata.zmyQuery", "%s looks like a recording rule, whose own range is not in the query: the lookback is taken for %s", name, short(s.trigger.Policy.Lookback))
	}
}

func checkTimeToZero(s *subject, say say) {
	if d, ok := s.timeToZero(); ok && d.unwritten() {
		say("", "%s", d)
	}
}

// delays are what passes, one after the other.
type delays []delay

type delay struct {
	name string
	took time.Duration
	// unwritten tells that a default decides which the manifest does not show.
	unwritten bool
}

// String spells the sum out.
func (d delays) String() string {
	var sum time.Duration
	var parts []string
	for _, each := range d {
		sum += each.took
		part := each.name + " " + short(each.took)
		if each.unwritten {
			part += " (by default)"
		}
		parts = append(parts, part)
	}
	return fmt.Sprintf("from idle to zero it takes up to %s: %s", short(sum), strings.Join(parts, ", "))
}

func (d delays) unwritten() bool {
	for _, each := range d {
		if each.unwritten {
			return true
		}
	}
	return false
}

// timeToZero returns what passes until a fleet that has gone idle is at zero; ok is
// false where it never is, or where nobody can say.
func (s *subject) timeToZero() (d delays, ok bool) {
	if !s.of.sleeps() || s.shadow() || s.unknown("zmyQuery", "zmyLookback", "scaleDownDelay", "gracefulLanding") {
		return nil, false
	}
	p := &s.trigger.Policy
	d = delays{
		{name: "lookback", took: p.Lookback},
		{name: "scaleDownDelay", took: p.DownDelay, unwritten: !s.given("scaleDownDelay")},
	}
	if p.GracefulLanding && s.of.MaxReplicas > 1 {
		down, ok := s.descend(0)
		if !ok || down.real.size != 1 {
			return nil, false
		}
		d = append(d, delay{name: fmt.Sprintf("the HPA's way from %d to 1", s.of.full()), took: down.real.last - down.free.last + autoscaler.SyncPeriod})
	}
	return append(d,
		delay{name: "cooldownPeriod", took: s.of.CooldownPeriod, unwritten: !s.of.Has("spec.cooldownPeriod")},
		delay{name: "pollingInterval", took: s.of.PollingInterval},
	), true
}

// short writes a duration as people do.
func short(d time.Duration) string { return model.Duration(d).String() }
