package client

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v2 "k8s.io/api/autoscaling/v2"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
)

// nowhere is an address at which nothing listens.
const nowhere = "http://127.0.0.1:1"

// spec is what KEDA puts into the HPA.
type spec struct {
	Name  string
	Type  v2.MetricTargetType
	Milli int64
}

// TestMetricSpec asks for specs while Prometheus is dead from the start: without
// them KEDA would build the HPA without the metric.
func TestMetricSpec(t *testing.T) {
	scaler := rig.StartScaler(t, "scaler", "--prometheus-url="+nowhere)
	tests := []struct {
		name       string
		index      int
		metricType v2.MetricTargetType
		metadata   map[string]string
		want       spec
	}{
		{name: "KEDA's default", want: spec{"s0-zmy", v2.AverageValueMetricType, 30_000}},
		{
			name: "Value", metricType: v2.ValueMetricType, metadata: map[string]string{"metricType": "Value"},
			want: spec{"s0-zmy", v2.ValueMetricType, 30_000},
		},
		{
			name: "thousandths", metadata: map[string]string{"triggerThreshold": "33.333"},
			want: spec{"s0-zmy", v2.AverageValueMetricType, 33_333},
		},
		{
			name: "thousandths that no float has exactly", metricType: v2.ValueMetricType,
			metadata: map[string]string{"triggerThreshold": "32.3"},
			want:     spec{"s0-zmy", v2.ValueMetricType, 32_300},
		},
		{
			name: "another name and place", index: 2, metadata: map[string]string{"metricName": "idle-share"},
			want: spec{"s2-idle-share", v2.AverageValueMetricType, 30_000},
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			s := rig.Trigger{
				Address: scaler.GRPC, Index: tc.index, MetricType: tc.metricType,
				Metadata: merge(map[string]string{"zmyQuery": "zmy"}, tc.metadata),
			}.Poll(t)
			began := time.Now()
			got := s.GetMetricSpecForScaling(ctx)
			if took := time.Since(began); took > time.Second {
				t.Errorf("the spec took %v, as if it waited for Prometheus", took)
			}
			if len(got) != 1 || got[0].External == nil {
				t.Fatalf("got %v, want exactly one external metric", got)
			}
			e := got[0].External
			q := e.Target.AverageValue
			if tc.want.Type == v2.ValueMetricType {
				q = e.Target.Value
			}
			if q == nil {
				t.Fatalf("target %v has no %s", e.Target, tc.want.Type)
			}
			if diff := cmp.Diff(tc.want, spec{e.Metric.Name, e.Target.Type, q.MilliValue()}); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}
