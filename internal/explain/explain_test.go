package explain_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/infra-arch/zmy-scaler/internal/explain"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

var update = flag.Bool("update", false, "write testdata")

var at = time.Date(2026, 3, 1, 3, 12, 0, 0, time.UTC)

func scaleUp() *zmyv1.Explanation {
	return &zmyv1.Explanation{
		Trigger: &zmyv1.Trigger{
			Namespace: "shop", ScaledObject: "checkout", Metric: "zmy", Source: "default", Mode: "active",
			At: timestamppb.New(at), Band: "scale_up", Reason: "saturated", Text: "the yield is below scaleUpThreshold", Healthy: true,
			Yield: new(0.12), ScaleUpThreshold: 0.3, ScaleDownThreshold: 0.9, InactiveThreshold: 0.95,
			Replicas: new(int32(4)), Ready: new(int32(4)), Min: 1, Max: 10, Desired: new(int32(12)),
			Emitted: &zmyv1.Emitted{Value: new(360.0), Target: 30, MetricType: "AverageValue", Active: new(true), HpaReplicas: new(int32(12)), HpaBounded: new(int32(10))},
			Next:    "the HPA takes the fleet from 4 to 10, as fast as its behavior lets it",
		},
		Facts: []*zmyv1.Fact{
			{Name: "yield", Value: 0.12, Text: "newest good yield: 0 saturated, 1 idle"},
			{Name: "pressure", Value: 2.93333333, Text: "load over target, with the CPU weighed in"},
		},
		Timers: []*zmyv1.Timer{{
			Name: "max_staleness", Length: durationpb.New(time.Minute), Left: durationpb.New(55 * time.Second),
			Text: "then the newest yield is too old to decide on, and the fleet holds",
		}},
		Queries: []*zmyv1.Query{
			{Role: "yield", Text: "avg(\n  zmy{job=\"checkout\"}\n)", Sent: `avg by (job) (zmy{job=~"checkout|payment"})`, Newest: &zmyv1.Sample{State: "good", Value: new(0.12)}},
			{Role: "guard", Text: "rollout", Error: "source default: timeout", Newest: &zmyv1.Sample{State: "not answered"}},
		},
		Changes: []*zmyv1.Decision{{
			At: timestamppb.New(at), Band: "scale_up", Reason: "saturated", Yield: new(0.12), Replicas: new(int32(4)), Desired: new(int32(12)),
		}},
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	blind := &zmyv1.Explanation{Trigger: &zmyv1.Trigger{
		Namespace: "shop", ScaledObject: "checkout", Metric: "night", Source: "default", Mode: "shadow",
		At: timestamppb.New(at), Band: "hold", Reason: "no_data_too_long", Text: "there has been no usable yield for longer than allowed",
		Problem: "source default: timeout", ScaleUpThreshold: 0.3, ScaleDownThreshold: 0.9, InactiveThreshold: 0.95,
		Emitted: &zmyv1.Emitted{Target: 30, MetricType: "Value"},
		Next:    "errors until there is a usable yield",
	}}
	refused := &zmyv1.Explanation{Trigger: &zmyv1.Trigger{
		Namespace: "shop", ScaledObject: "checkout", Metric: "day", Source: "default", Mode: "active", Problem: "metricType: at odds",
	}}
	for _, tt := range []struct {
		name string
		give *zmyv1.ExplainResponse
	}{
		{name: "scale-up", give: &zmyv1.ExplainResponse{Triggers: []*zmyv1.Explanation{scaleUp()}}},
		{name: "without-data", give: &zmyv1.ExplainResponse{Triggers: []*zmyv1.Explanation{blind}}},
		{name: "two-triggers", give: &zmyv1.ExplainResponse{Triggers: []*zmyv1.Explanation{blind, refused}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got bytes.Buffer
			if err := explain.Write(&got, tt.give); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", tt.name+".txt")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestOneScreen holds for the fullest trigger there can be.
func TestOneScreen(t *testing.T) {
	t.Parallel()
	x := scaleUp()
	for len(x.Facts) < 16 {
		x.Facts = append(x.Facts, x.Facts[0])
	}
	for len(x.Changes) < 20 {
		x.Changes = append(x.Changes, x.Changes[0])
	}
	var got bytes.Buffer
	if err := explain.Write(&got, &zmyv1.ExplainResponse{Triggers: []*zmyv1.Explanation{x}}); err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(got.Bytes(), []byte("\n")); lines > 50 {
		t.Errorf("%d lines, more than a screen", lines)
	}
}
