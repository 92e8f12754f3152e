package introspect

import (
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

var at = time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)

// trig returns a trigger with the given metadata beside zmyQuery, of a fleet of
// 4 that is told to stay as it is.
func trig(t *testing.T, metadata map[string]string) engine.Status {
	t.Helper()
	all := map[string]string{"zmyQuery": "zmy"}
	maps.Copy(all, metadata)
	parsed, err := trigger.Parse(all, trigger.Server{Interval: 15 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	four := decision.Known(4)
	return engine.Status{
		Key: "shop/checkout/1", Namespace: "shop", Name: "checkout",
		Answer: engine.Answer{
			Trigger: parsed,
			Decision: decision.Decision{
				At: at, Reason: decision.Steady, Desired: 4,
				Evidence: decision.Evidence{Replicas: four, Yield: decision.Reading{Value: 0.6, At: at, OK: true}},
			},
			Told: decision.Told{Value: 120_000, Active: true, Replicas: 4, Reason: decision.Steady},
			Fleet: decision.Fleet{
				Spec: four, Status: four, Ready: four, Min: 1, Max: 20,
				Tolerance: decision.Tolerance{Down: 0.1, Up: 0.1},
			},
		},
	}
}

func TestTriggerAtAGlance(t *testing.T) {
	got := Trigger(trig(t, nil), at.Add(5*time.Second))
	want := &zmyv1.Trigger{
		Key: "shop/checkout/1", Namespace: "shop", ScaledObject: "checkout", Metric: "zmy", Source: "default", Mode: "active",
		Band: "hold", Reason: "steady", Text: "the yield is inside the hold band", Healthy: true,
		Yield: new(0.6), ScaleUpThreshold: 0.3, ScaleDownThreshold: 0.9, InactiveThreshold: 0.95,
		Replicas: new(int32(4)), Ready: new(int32(4)), Status: new(int32(4)), Min: 1, Max: 20, Desired: new(int32(4)),
		Emitted: &zmyv1.Emitted{
			Value: new(120.0), Target: 30, MetricType: "AverageValue", Active: new(true),
			HpaReplicas: new(int32(4)), HpaBounded: new(int32(4)),
		},
		Next: "stays at 4 while the yield is from 0.3 to 0.9",
	}
	if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(&zmyv1.Trigger{}, "at", "yield_at")); diff != "" {
		t.Error(diff)
	}
	if !got.GetAt().AsTime().Equal(at) || !got.GetYieldAt().AsTime().Equal(at) {
		t.Errorf("decided at %v on a yield of %v, want %v for both", got.GetAt().AsTime(), got.GetYieldAt().AsTime(), at)
	}
}

func TestHealth(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*engine.Status)
		want   string
	}{
		{name: "healthy", change: func(*engine.Status) {}},
		{name: "no answer", change: func(s *engine.Status) { s.Err = errors.New("metricType: at odds") }, want: "metricType: at odds"},
		{name: "failing queries", change: func(s *engine.Status) { s.Failure = "source default: timeout" }, want: "source default: timeout"},
		{name: "stale", change: func(s *engine.Status) { s.Told.Reason = decision.StaleData }, want: decision.StaleData.Text()},
		{name: "too long without data", change: func(s *engine.Status) { s.Told.Reason = decision.NoDataTooLong }, want: decision.NoDataTooLong.Text()},
		{name: "asleep is healthy", change: func(s *engine.Status) { s.Told.Reason = decision.AbsentAtZero }},
		{name: "waiting for pods is healthy", change: func(s *engine.Status) { s.Told.Reason = decision.WorkersStarting }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := trig(t, nil)
			tt.change(&s)
			got := Trigger(s, at)
			if got.GetProblem() != tt.want || got.GetHealthy() != (tt.want == "") {
				t.Errorf("healthy %t, problem %q, want problem %q", got.GetHealthy(), got.GetProblem(), tt.want)
			}
		})
	}
}

func TestWhatTheHPAComputes(t *testing.T) {
	for _, tt := range []struct {
		name          string
		change        func(*engine.Status)
		want, bounded int32 // 0 for unknown
	}{
		{name: "AverageValue", change: func(s *engine.Status) { s.Told.Value = 330_000 }, want: 11, bounded: 11},
		{name: "beyond the maximum", change: func(s *engine.Status) { s.Told.Value = 900_000 }, want: 30, bounded: 20},
		{name: "bounds unknown", change: func(s *engine.Status) { s.Told.Value, s.Fleet.Max = 900_000, 0 }, want: 30},
		{name: "without Kubernetes the sample stands in", change: func(s *engine.Status) {
			s.Told.Value, s.Fleet.Status = 330_000, decision.Count{}
		}, want: 11, bounded: 11},
		{name: "Value", change: func(s *engine.Status) { s.MetricType, s.Told.Value = decision.Value, 60_000 }, want: 8, bounded: 8},
		{name: "Value with unknown ready pods", change: func(s *engine.Status) {
			s.MetricType, s.Told.Value, s.Fleet.Ready = decision.Value, 60_000, decision.Count{}
		}},
		{name: "an error", change: func(s *engine.Status) { s.Told.NoValue = true }},
		{name: "at zero KEDA decides", change: func(s *engine.Status) { s.Fleet.Spec = decision.Known(0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := trig(t, nil)
			tt.change(&s)
			e := Trigger(s, at).GetEmitted()
			if e.GetHpaReplicas() != tt.want || e.GetHpaBounded() != tt.bounded {
				t.Errorf("the HPA computes %d, %d in its bounds, want %d and %d", e.GetHpaReplicas(), e.GetHpaBounded(), tt.want, tt.bounded)
			}
		})
	}
}

func TestNext(t *testing.T) {
	now := at.Add(10 * time.Second)
	for _, tt := range []struct {
		name     string
		metadata map[string]string
		change   func(*engine.Status)
		want     string
		wantAt   time.Time
	}{
		{
			name: "a delay runs", change: func(s *engine.Status) {
				s.Told.Reason = decision.IdlePending
				s.Decision.Reason = decision.IdlePending
				s.Decision.Since, s.Decision.Delay = at.Add(-2*time.Minute), 5*time.Minute
			},
			want: "may scale down in 2m50s if the yield stays above 0.9", wantAt: at.Add(3 * time.Minute),
		},
		{
			name: "data is missing", change: func(s *engine.Status) {
				s.Told.Reason, s.Told.Since = decision.StaleData, at.Add(-time.Minute)
			},
			want: "holds for another 8m50s; without a usable yield it errors then", wantAt: at.Add(9 * time.Minute),
		},
		{
			name: "data is missing and errors at once", metadata: map[string]string{"onNoData": "error"},
			change: func(s *engine.Status) { s.Told.Reason, s.Told.Since = decision.FirstYieldPending, at },
			want:   "holds until there is a usable yield",
		},
		{
			name: "up", change: func(s *engine.Status) { s.Told.Reason, s.Told.Value = decision.Saturated, 330_000 },
			want: "the HPA takes the fleet from 4 to 11, as fast as its behavior lets it",
		},
		{
			name: "up, but not beyond the maximum", change: func(s *engine.Status) { s.Told.Reason, s.Told.Value = decision.Saturated, 900_000 },
			want: "the HPA takes the fleet from 4 to 20, as fast as its behavior lets it",
		},
		{
			name: "down", change: func(s *engine.Status) { s.Told.Reason, s.Told.Value = decision.Idle, 60_000 },
			want: "the HPA takes the fleet from 4 to 2, once its stabilization window and policies let it",
		},
		{
			name: "asleep", metadata: map[string]string{"wakeQuery": "queue"},
			change: func(s *engine.Status) { s.Told.Reason = decision.AbsentAtZero },
			want:   "stays at zero until wakeQuery is above 0 or the yield falls below 0.95",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := trig(t, tt.metadata)
			tt.change(&s)
			got := Trigger(s, now)
			if got.GetNext() != tt.want {
				t.Errorf("next: %q, want %q", got.GetNext(), tt.want)
			}
			if (got.GetNextAt() == nil) != tt.wantAt.IsZero() || got.GetNextAt() != nil && !got.GetNextAt().AsTime().Equal(tt.wantAt) {
				t.Errorf("next at %v, want %v", got.GetNextAt(), tt.wantAt)
			}
		})
	}
}

// TestEveryReasonHasANext makes sure that nobody is left without an outlook, and
// that none of them promises a time that has passed.
func TestEveryReasonHasANext(t *testing.T) {
	for _, r := range decision.Reasons() {
		s := trig(t, nil)
		s.Told.Reason, s.Told.Since = r, at.Add(-time.Hour)
		got := Trigger(s, at)
		if got.GetNext() == "" || strings.Contains(got.GetNext(), "-") {
			t.Errorf("%v: next is %q", r, got.GetNext())
		}
	}
}
