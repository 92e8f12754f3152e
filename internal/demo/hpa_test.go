package demo

import (
	"errors"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

var epoch = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// ratio is a metric of type Value whose usage is x targets.
func ratio(x float64) reading {
	return reading{metricType: decision.Value, usage: int64(x * 30000), target: 30000}
}

// wanted is a metric of type AverageValue that asks for n replicas.
func wanted(n int64) reading {
	return reading{metricType: decision.AverageValue, usage: n * 30000, target: 30000}
}

func TestHPA(t *testing.T) {
	t.Parallel()
	type step struct {
		after   time.Duration // since the step before
		counts  counts
		metrics []reading
		want    int
	}
	all := func(n int) counts { return counts{spec: n, status: n, ready: n} }
	one := func(m reading) []reading { return []reading{m} }
	failed := reading{err: errors.New("unavailable")}
	tests := []struct {
		name string
		edit func(*hpa)
		step []step
	}{
		{name: "inside the tolerance", step: []step{
			{counts: all(10), metrics: one(ratio(1.1)), want: 10},
			{counts: all(10), metrics: one(ratio(0.9)), want: 10},
			{counts: all(10), metrics: one(wanted(11)), want: 10},
		}},
		{name: "a ratio of the ready ones", step: []step{
			{counts: counts{spec: 10, status: 10, ready: 6}, metrics: one(ratio(2)), want: 12},
			{counts: counts{spec: 10, status: 10, ready: 6}, metrics: one(ratio(1.5)), want: 9},
		}},
		{name: "a total does not ask who is ready", step: []step{
			{counts: counts{spec: 10, status: 10, ready: 2}, metrics: one(wanted(13)), want: 13},
		}},
		{name: "upward four pods or twice as many in 15 s", step: []step{
			{counts: all(1), metrics: one(wanted(20)), want: 5},
			{after: 14 * time.Second, counts: all(5), metrics: one(wanted(20)), want: 5},
			{after: time.Second, counts: all(5), metrics: one(wanted(20)), want: 10},
			{after: 15 * time.Second, counts: all(10), metrics: one(wanted(20)), want: 20},
		}},
		{name: "downward at once", step: []step{{counts: all(20), metrics: one(wanted(1)), want: 1}}},
		{name: "the bounds", step: []step{
			{counts: all(28), metrics: one(wanted(40)), want: 30},
			{counts: all(2), metrics: one(wanted(0)), want: 1},
			{counts: all(31), metrics: one(ratio(1)), want: 30},
			{counts: all(2), metrics: one(ratio(1)), want: 2},
		}},
		{name: "below the minimum, whatever the metrics say", edit: func(h *hpa) { h.min = 3 }, step: []step{
			{counts: all(2), metrics: one(failed), want: 3},
		}},
		{name: "at zero it does nothing", step: []step{{counts: all(0), metrics: one(wanted(5)), want: 0}}},
		{name: "the largest proposal", step: []step{{counts: all(10), metrics: []reading{wanted(2), wanted(12), wanted(0)}, want: 12}}},
		{name: "an unreadable metric forbids less, not more", step: []step{
			{counts: all(10), metrics: []reading{wanted(2), failed}, want: 10},
			{counts: all(10), metrics: []reading{wanted(12), failed}, want: 12},
			{after: time.Minute, counts: all(12), metrics: one(failed), want: 12},
			{counts: all(12), metrics: one(reading{usage: 1}), want: 12},
		}},
		{name: "downward the most careful of a window", edit: func(h *hpa) { h.down.window = time.Minute }, step: []step{
			{counts: all(10), metrics: one(wanted(8)), want: 8},
			{after: 30 * time.Second, counts: all(8), metrics: one(wanted(2)), want: 8},
			{after: 30 * time.Second, counts: all(8), metrics: one(wanted(4)), want: 4},
		}},
		{name: "upward the most careful of a window", edit: func(h *hpa) { h.up.window = time.Minute }, step: []step{
			{counts: all(4), metrics: one(wanted(5)), want: 5},
			{after: 30 * time.Second, counts: all(5), metrics: one(wanted(8)), want: 5},
			{after: 30 * time.Second, counts: all(5), metrics: one(wanted(8)), want: 8},
		}},
		{name: "downward within a policy", edit: func(h *hpa) {
			h.down.policies = []policy{{pods: 1, period: time.Minute}, {percent: 20, period: time.Minute}}
		}, step: []step{
			{counts: all(10), metrics: one(wanted(1)), want: 8},
			{after: 15 * time.Second, counts: all(8), metrics: one(wanted(1)), want: 8},
			{after: 45 * time.Second, counts: all(8), metrics: one(wanted(1)), want: 6},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHPA(0, 30)
			if tt.edit != nil {
				tt.edit(h)
			}
			now := epoch
			for i, s := range tt.step {
				now = now.Add(s.after)
				if got := h.sync(now, s.counts, s.metrics); got != s.want {
					t.Errorf("step %d: %d, want %d", i+1, got, s.want)
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
		idle           time.Duration // since it was last active
		active, failed bool
		want           int
	}{
		{name: "asleep", spec: 0, idle: time.Hour, want: 0},
		{name: "woken", spec: 0, idle: time.Hour, active: true, want: 1},
		{name: "woken to its minimum", min: 3, spec: 0, active: true, want: 3},
		{name: "active", spec: 5, active: true, want: 5},
		{name: "inactive, cooling down", spec: 5, idle: cooldown - 1, want: 5},
		{name: "inactive for long enough, from any size", spec: 5, idle: cooldown, want: 0},
		{name: "inactive, with a minimum", min: 1, spec: 5, idle: time.Hour, want: 5},
		{name: "nobody knows", spec: 5, idle: time.Hour, failed: true, want: 5},
		{name: "one trigger is active, another fails", spec: 0, active: true, failed: true, want: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := activation{min: tt.min, cooldown: cooldown, lastActive: epoch.Add(-tt.idle)}
			if got := a.check(epoch, tt.spec, tt.active, tt.failed); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
			if got := a.lastActive.Equal(epoch); got != (tt.active || tt.idle == 0) {
				t.Errorf("last active %v", a.lastActive)
			}
			if _, sleeps := a.sleepsAt(); sleeps != (tt.min == 0) {
				t.Errorf("may sleep: %v", sleeps)
			}
		})
	}
}

func TestMilli(t *testing.T) {
	t.Parallel()
	tests := []struct {
		f    float64
		i    int64
		want int64
	}{
		{f: 30, i: 30, want: 30000},
		{f: 33.0004, i: 33, want: 33000},
		{f: 33.0006, i: 33, want: 33001},
		{f: 0, i: 7, want: 7000},
		{f: -1, i: 7, want: 7000},
		{f: 0, i: -7, want: 0},
	}
	for _, tt := range tests {
		if got := milli(tt.f, tt.i); got != tt.want {
			t.Errorf("milli(%v, %d) is %d, want %d", tt.f, tt.i, got, tt.want)
		}
	}
}
