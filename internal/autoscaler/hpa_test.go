package autoscaler

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

var epoch = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// ratio is a metric of type Value whose usage is x targets.
func ratio(x float64) Metric {
	return Metric{Type: decision.Value, Usage: int64(x * 30000), Target: 30000}
}

// wanted is a metric of type AverageValue that asks for n replicas.
func wanted(n int64) Metric {
	return Metric{Type: decision.AverageValue, Usage: n * 30000, Target: 30000}
}

// quick is a behavior that shrinks at once.
func quick() manifest.Behavior {
	b := manifest.DefaultBehavior()
	b.Given, b.Down.Window = true, 0
	return b
}

type turn struct {
	after   time.Duration // since the turn before
	counts  Counts
	metrics []Metric
	want    int
}

func all(n int) Counts      { return Counts{Spec: n, Status: n, Ready: n} }
func one(m Metric) []Metric { return []Metric{m} }

func pods(n int, period time.Duration) manifest.Policy {
	return manifest.Policy{Pods: n, Period: period}
}

func percent(n int, period time.Duration) manifest.Policy {
	return manifest.Policy{Percent: n, Period: period}
}

func TestHPA(t *testing.T) {
	t.Parallel()
	failed := Metric{Failed: true}
	tests := []struct {
		name string
		min  int
		edit func(*manifest.Behavior)
		turn []turn
	}{
		{name: "inside the tolerance", turn: []turn{
			{counts: all(10), metrics: one(ratio(1.1)), want: 10},
			{counts: all(10), metrics: one(ratio(0.9)), want: 10},
			{counts: all(10), metrics: one(wanted(11)), want: 10},
		}},
		{name: "a tolerance for each direction", edit: func(b *manifest.Behavior) { b.Up.Tolerance, b.Down.Tolerance = 0, 0.5 }, turn: []turn{
			{counts: all(10), metrics: one(wanted(6)), want: 10},
			{counts: all(10), metrics: one(wanted(11)), want: 11},
			{counts: all(10), metrics: one(wanted(4)), want: 4},
		}},
		{name: "a ratio of the ready ones", turn: []turn{
			{counts: Counts{Spec: 10, Status: 10, Ready: 6}, metrics: one(ratio(2)), want: 12},
			{counts: Counts{Spec: 10, Status: 10, Ready: 6}, metrics: one(ratio(1.5)), want: 9},
		}},
		{name: "a total does not ask who is ready", turn: []turn{
			{counts: Counts{Spec: 10, Status: 10, Ready: 2}, metrics: one(wanted(13)), want: 13},
		}},
		{name: "upward four pods or twice as many in 15 s", turn: []turn{
			{counts: all(1), metrics: one(wanted(20)), want: 5},
			{after: 14 * time.Second, counts: all(5), metrics: one(wanted(20)), want: 5},
			{after: time.Second, counts: all(5), metrics: one(wanted(20)), want: 10},
			{after: 15 * time.Second, counts: all(10), metrics: one(wanted(20)), want: 20},
		}},
		{name: "downward at once", turn: []turn{{counts: all(20), metrics: one(wanted(1)), want: 1}}},
		{name: "the bounds", turn: []turn{
			{counts: all(28), metrics: one(wanted(40)), want: 30},
			{counts: all(2), metrics: one(wanted(0)), want: 1},
			{counts: all(31), metrics: one(ratio(1)), want: 30},
			{counts: all(2), metrics: one(ratio(1)), want: 2},
		}},
		{name: "below the minimum, whatever the metrics say", min: 3, turn: []turn{
			{counts: all(2), metrics: one(failed), want: 3},
		}},
		{name: "at zero it does nothing", turn: []turn{{counts: all(0), metrics: one(wanted(5)), want: 0}}},
		{name: "the largest proposal", turn: []turn{{counts: all(10), metrics: []Metric{wanted(2), wanted(12), wanted(0)}, want: 12}}},
		{name: "an unreadable metric forbids less, not more", turn: []turn{
			{counts: all(10), metrics: []Metric{wanted(2), failed}, want: 10},
			{counts: all(10), metrics: []Metric{wanted(12), failed}, want: 12},
			{after: time.Minute, counts: all(12), metrics: one(failed), want: 12},
			{counts: all(12), metrics: one(Metric{Usage: 1}), want: 12},
		}},
		{name: "downward the most careful of a window", edit: func(b *manifest.Behavior) { b.Down.Window = time.Minute }, turn: []turn{
			{counts: all(8), metrics: one(wanted(8)), want: 8},
			{after: 30 * time.Second, counts: all(8), metrics: one(wanted(2)), want: 8},
			{after: 30 * time.Second, counts: all(8), metrics: one(wanted(4)), want: 4},
		}},
		{name: "what it finds counts as recommended", edit: func(b *manifest.Behavior) { b.Down.Window = time.Minute }, turn: []turn{
			{counts: all(10), metrics: one(wanted(2)), want: 10},
			{after: 45 * time.Second, counts: all(10), metrics: one(wanted(2)), want: 10},
			{after: 15 * time.Second, counts: all(10), metrics: one(wanted(2)), want: 2},
		}},
		{name: "upward the most careful of a window", edit: func(b *manifest.Behavior) { b.Up.Window = time.Minute }, turn: []turn{
			{counts: all(4), metrics: one(wanted(5)), want: 4},
			{after: 30 * time.Second, counts: all(4), metrics: one(wanted(8)), want: 4},
			{after: 15 * time.Second, counts: all(4), metrics: one(wanted(8)), want: 4},
			{after: 15 * time.Second, counts: all(4), metrics: one(wanted(8)), want: 8},
		}},
		{name: "downward within a policy", edit: func(b *manifest.Behavior) {
			b.Down.Policies = []manifest.Policy{pods(1, time.Minute), percent(20, time.Minute)}
		}, turn: []turn{
			{counts: all(10), metrics: one(wanted(1)), want: 8},
			{after: 15 * time.Second, counts: all(8), metrics: one(wanted(1)), want: 8},
			{after: 45 * time.Second, counts: all(8), metrics: one(wanted(1)), want: 6},
		}},
		{name: "the policy that allows least", edit: func(b *manifest.Behavior) {
			b.Down.Policies, b.Down.Select = []manifest.Policy{pods(1, time.Minute), percent(50, time.Minute)}, manifest.SelectMin
			b.Up.Select = manifest.SelectMin
		}, turn: []turn{
			{counts: all(10), metrics: one(wanted(1)), want: 9},
			{after: time.Minute, counts: all(9), metrics: one(wanted(30)), want: 13},
		}},
		{name: "a direction that is disabled", edit: func(b *manifest.Behavior) {
			b.Down.Select, b.Up.Select = manifest.SelectDisabled, manifest.SelectDisabled
		}, turn: []turn{
			{counts: all(10), metrics: one(wanted(1)), want: 10},
			{counts: all(10), metrics: one(wanted(30)), want: 10},
		}},
		{name: "what was taken away in a period may come back", edit: func(b *manifest.Behavior) { b.Up.Policies = []manifest.Policy{pods(2, time.Minute)} }, turn: []turn{
			{counts: all(10), metrics: one(wanted(4)), want: 4},
			{after: 15 * time.Second, counts: all(4), metrics: one(wanted(30)), want: 12},
			{after: 15 * time.Second, counts: all(12), metrics: one(wanted(30)), want: 12},
		}},
		{name: "no behavior: twice the size or four, in every turn", edit: func(b *manifest.Behavior) { *b = manifest.DefaultBehavior() }, turn: []turn{
			{counts: all(1), metrics: one(wanted(20)), want: 4},
			{after: time.Second, counts: all(4), metrics: one(wanted(20)), want: 8},
			{after: time.Second, counts: all(8), metrics: one(wanted(20)), want: 16},
		}},
		{name: "no behavior: the largest of five minutes, upward too", edit: func(b *manifest.Behavior) { *b = manifest.DefaultBehavior() }, turn: []turn{
			{counts: all(8), metrics: one(wanted(16)), want: 16},
			{after: time.Minute, counts: all(10), metrics: one(wanted(2)), want: 16},
			{after: 4 * time.Minute, counts: all(16), metrics: one(wanted(2)), want: 16},
			{after: time.Second, counts: all(16), metrics: one(wanted(2)), want: 2},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := quick()
			if tt.edit != nil {
				tt.edit(&b)
			}
			h := NewHPA(tt.min, 30, b)
			now := epoch
			for i, s := range tt.turn {
				now = now.Add(s.after)
				if got := h.Sync(now, s.counts, s.metrics...); got != s.want {
					t.Errorf("turn %d: %d, want %d", i+1, got, s.want)
				}
			}
		})
	}
}

func TestActivation(t *testing.T) {
	t.Parallel()
	const cooldown = 2 * time.Minute
	tests := []struct {
		name           string
		min, spec      int
		idle           *int
		quiet          time.Duration // since it was last active
		active, failed bool
		want           int
	}{
		{name: "asleep", spec: 0, quiet: time.Hour, want: 0},
		{name: "woken", spec: 0, quiet: time.Hour, active: true, want: 1},
		{name: "woken to its minimum", min: 3, spec: 0, active: true, want: 3},
		{name: "active", spec: 5, active: true, want: 5},
		{name: "inactive, cooling down", spec: 5, quiet: cooldown - 1, want: 5},
		{name: "inactive for long enough, from any size", spec: 5, quiet: cooldown, want: 0},
		{name: "inactive, with a minimum", min: 1, spec: 5, quiet: time.Hour, want: 5},
		{name: "inactive below the minimum", min: 3, spec: 2, quiet: time.Hour, want: 3},
		{name: "nobody knows", spec: 5, quiet: time.Hour, failed: true, want: 5},
		{name: "one trigger is active, another fails", spec: 0, active: true, failed: true, want: 1},
		{name: "idle, below the minimum", min: 3, idle: new(1), spec: 5, quiet: cooldown, want: 1},
		{name: "idle, cooling down", min: 3, idle: new(1), spec: 5, quiet: cooldown - 1, want: 5},
		{name: "woken from idle", min: 3, idle: new(1), spec: 1, active: true, want: 3},
		{name: "idle stays", min: 3, idle: new(1), spec: 1, quiet: time.Hour, want: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := Activation{Min: tt.min, Idle: tt.idle, Cooldown: cooldown, LastActive: epoch.Add(-tt.quiet)}
			if got := a.Check(epoch, tt.spec, tt.active, tt.failed); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
			if !a.Matters(tt.spec) && (tt.want != tt.spec || tt.min == 0 || tt.idle != nil) {
				t.Error("a poll that moves the fleet, now or later, does not matter")
			}
			if got := a.LastActive.Equal(epoch); got != (tt.active || tt.quiet == 0) {
				t.Errorf("last active %v", a.LastActive)
			}
			if _, sleeps := a.SleepsAt(); sleeps != (tt.min == 0 || tt.idle != nil) {
				t.Errorf("may sleep: %v", sleeps)
			}
		})
	}
}
