package introspect

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// scalingUp returns a trigger in depth, in the middle of a scale-up that waits for
// its delay.
func scalingUp(t *testing.T) engine.Detail {
	t.Helper()
	s := trig(t, map[string]string{"scaleUpDelay": "1m"})
	s.Told.Reason = decision.SaturatedPending
	s.Decision.Since, s.Decision.Delay = at.Add(-15*time.Second), time.Minute
	s.Decision.Workers, s.Decision.Work, s.Decision.Pressure, s.Decision.Want = 4, 3.6, 3, 12
	s.Decision.Yield.Value = 0.1
	s.Queries = []engine.QueryState{
		{Role: zmy.Yield, Text: "zmy", Sent: `label_replace(zmy, "t", "0", "", "") or label_replace(other, "t", "1", "", "")`},
		{Role: zmy.Wake, Text: "queue", Err: errors.New("timeout")},
	}
	d := engine.Detail{Status: s, Metadata: map[string]string{"zmyQuery": "zmy"}}
	grid := s.Trigger.Policy.Grid
	d.Oldest = grid.At(at) - 1
	d.Window[zmy.Yield] = []zmy.Sample{{State: zmy.Missing}, {State: zmy.Good, Value: 0.1, Partial: true}}
	d.Recent = []engine.Record{{
		At: at, Band: decision.Hold, Reason: decision.SaturatedPending, Yield: 0.1, YieldOK: true, Replicas: 4, Desired: 4, CountKnown: true,
		Told: decision.Told{Value: 120_000, Active: true, Replicas: 4, Reason: decision.SaturatedPending},
	}, {
		At: at.Add(-15 * time.Second), Reason: decision.NoData,
		Told: decision.Told{NoValue: true, NoActivity: true, Reason: decision.NoDataTooLong},
	}}
	return d
}

func TestExplanation(t *testing.T) {
	now := at.Add(5 * time.Second)
	got := Explanation(scalingUp(t), now)
	want := &zmyv1.Explanation{
		Metadata: map[string]string{"zmyQuery": "zmy"},
		Interval: durationpb.New(15 * time.Second), Lookback: durationpb.New(15 * time.Second),
		Timers: []*zmyv1.Timer{{
			Name: "scale_up_delay", Since: timestamppb.New(at.Add(-15 * time.Second)), Length: durationpb.New(time.Minute),
			Left: durationpb.New(40 * time.Second), Text: "then the yield has been low long enough to scale up",
		}, {
			Name: "max_staleness", Since: timestamppb.New(at), Length: durationpb.New(time.Minute),
			Left: durationpb.New(55 * time.Second), Text: "then the newest yield is too old to decide on, and the fleet holds",
		}},
		Queries: []*zmyv1.Query{{
			Role: "yield", Text: "zmy", Sent: `label_replace(zmy, "t", "0", "", "") or label_replace(other, "t", "1", "", "")`,
			Newest: &zmyv1.Sample{At: timestamppb.New(at), Value: new(0.1), State: "good", Partial: true},
		}, {
			Role: "wake", Text: "queue", Error: "timeout",
		}},
		Series: []*zmyv1.Series{{Role: "yield", Samples: []*zmyv1.Sample{
			{At: timestamppb.New(at.Add(-15 * time.Second)), State: "no data"},
			{At: timestamppb.New(at), Value: new(0.1), State: "good", Partial: true},
		}}},
		Recent: []*zmyv1.Decision{{
			At: timestamppb.New(at), Band: "hold", Reason: "saturated_pending", Yield: new(0.1),
			Replicas: new(int32(4)), Desired: new(int32(4)), Value: new(120.0), Active: new(true),
		}, {
			At: timestamppb.New(at.Add(-15 * time.Second)), Band: "hold", Reason: "no_data_too_long",
		}},
	}
	if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(&zmyv1.Explanation{}, "trigger", "facts")); diff != "" {
		t.Error(diff)
	}
	facts := map[string]float64{}
	for _, f := range got.GetFacts() {
		facts[f.GetName()] = f.GetValue()
	}
	wantFacts := map[string]float64{
		"yield": 0.1, "load": 0.9, "replicas": 4, "workers": 4, "work": 3.6, "target": 0.3, "pressure": 3, "want": 12, "desired": 4,
	}
	if diff := cmp.Diff(wantFacts, facts); diff != "" {
		t.Error(diff)
	}
}

// TestWithoutAnAnswer explains a trigger that KEDA gets an error for.
func TestWithoutAnAnswer(t *testing.T) {
	d := scalingUp(t)
	d.Err = errors.New("metricType Value: the ScaledObject says AverageValue")
	got := Explanation(d, at)
	if got.GetTrigger().GetProblem() != d.Err.Error() || got.GetTrigger().GetEmitted() != nil || len(got.GetFacts()) > 0 || len(got.GetTimers()) > 0 {
		t.Errorf("an error is explained by %v", got)
	}
	if len(got.GetQueries()) != 2 || len(got.GetRecent()) != 2 {
		t.Errorf("an error hides queries or the past: %v", got)
	}
}
