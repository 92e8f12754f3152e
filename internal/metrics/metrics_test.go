package metrics_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/events"
	"github.com/infra-arch/zmy-scaler/internal/metrics"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
)

type list []engine.Status

func (l list) List() []engine.Status { return l }
func (l list) Len() int              { return len(l) + 1 }

func (l list) Sources() []engine.SourceStatus {
	return []engine.SourceStatus{
		{Name: "default", Stats: plane.Stats{Queries: 3, Isolated: 1, Wanted: 40}},
		{Name: "other", Stats: plane.Stats{Down: true}},
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Build{})
	m.Watch(list{})
	const want = `
# HELP zmy_scaler_source_queries Different queries that the known triggers ask a source.
# TYPE zmy_scaler_source_queries gauge
zmy_scaler_source_queries{source="default"} 3
zmy_scaler_source_queries{source="other"} 0
# HELP zmy_scaler_source_queries_alone Queries that are asked alone for now, since they failed or came with warnings.
# TYPE zmy_scaler_source_queries_alone gauge
zmy_scaler_source_queries_alone{source="default"} 1
zmy_scaler_source_queries_alone{source="other"} 0
# HELP zmy_scaler_source_queries_wanted_total Queries that were to be answered, equal ones of a round once. Many share one request.
# TYPE zmy_scaler_source_queries_wanted_total counter
zmy_scaler_source_queries_wanted_total{source="default"} 40
zmy_scaler_source_queries_wanted_total{source="other"} 0
# HELP zmy_scaler_source_up 1 while a source answers; 0 while it gets nothing but a probe an interval.
# TYPE zmy_scaler_source_up gauge
zmy_scaler_source_up{source="default"} 1
zmy_scaler_source_up{source="other"} 0
`
	names := []string{"zmy_scaler_source_queries", "zmy_scaler_source_queries_alone", "zmy_scaler_source_queries_wanted_total", "zmy_scaler_source_up"}
	if err := testutil.GatherAndCompare(m.Registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(m.Registry, names...); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	known := engine.Status{Namespace: "shop", Name: "payment", Age: 12 * time.Second, Answer: engine.Answer{
		Trigger: &trigger.Trigger{MetricName: "zmy"},
		Decision: decision.Decision{
			Desired: 8,
			Evidence: decision.Evidence{
				Replicas: decision.Known(5), Yield: decision.Reading{Value: 0.25, OK: true},
			},
		},
		Told:  decision.Told{Band: decision.ScaleUp, Reason: decision.Saturated, Active: true},
		Fleet: decision.Fleet{Spec: decision.Known(6)},
	}}
	leftover := known
	leftover.Decision.Desired = 99
	known.Asked = time.Unix(9, 0)
	blind := engine.Status{Namespace: "shop", Name: "blind", Answer: engine.Answer{
		Trigger: &trigger.Trigger{MetricName: "zmy"}, Told: decision.Told{NoActivity: true, Reason: decision.ReplicasUnknown},
	}}
	broken := engine.Status{Namespace: "shop", Name: "broken", Err: errors.New("at odds"), Answer: engine.Answer{Trigger: &trigger.Trigger{MetricName: "zmy"}}}

	m := metrics.New(metrics.Build{Version: "v1", Commit: "abc"})
	m.Watch(list{known, leftover, blind, broken})
	const want = `
# HELP zmy_scaler_active What KEDA is told by IsActive.
# TYPE zmy_scaler_active gauge
zmy_scaler_active{metric="zmy",namespace="shop",scaled_object="payment"} 1
# HELP zmy_scaler_current_replicas Replicas the fleet has: spec.replicas, or replicasQuery without Kubernetes.
# TYPE zmy_scaler_current_replicas gauge
zmy_scaler_current_replicas{metric="zmy",namespace="shop",scaled_object="payment"} 6
# HELP zmy_scaler_decision_info Always 1; the labels say what is done and why.
# TYPE zmy_scaler_decision_info gauge
zmy_scaler_decision_info{band="hold",metric="zmy",namespace="shop",reason="replicas_unknown",scaled_object="blind"} 1
zmy_scaler_decision_info{band="scale_up",metric="zmy",namespace="shop",reason="saturated",scaled_object="payment"} 1
# HELP zmy_scaler_desired_replicas Replicas the fleet should have by the newest decision.
# TYPE zmy_scaler_desired_replicas gauge
zmy_scaler_desired_replicas{metric="zmy",namespace="shop",scaled_object="payment"} 8
# HELP zmy_scaler_sample_age_seconds How old the newest good yield is.
# TYPE zmy_scaler_sample_age_seconds gauge
zmy_scaler_sample_age_seconds{metric="zmy",namespace="shop",scaled_object="payment"} 12
# HELP zmy_scaler_triggers Triggers that are known.
# TYPE zmy_scaler_triggers gauge
zmy_scaler_triggers 5
# HELP zmy_scaler_yield_ratio The newest good yield: 0 saturated, 1 idle.
# TYPE zmy_scaler_yield_ratio gauge
zmy_scaler_yield_ratio{metric="zmy",namespace="shop",scaled_object="payment"} 0.25
`
	names := []string{"active", "current_replicas", "decision_info", "desired_replicas", "sample_age_seconds", "triggers", "yield_ratio"}
	for i, n := range names {
		names[i] = "zmy_scaler_" + n
	}
	if err := testutil.GatherAndCompare(m.Registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

func TestInstruments(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Build{Version: "v1", Commit: "abc"})
	m.Evaluated(engine.Failed, time.Second)
	m.Requested("default", promquery.KindTimeout, time.Second)
	m.Told(events.Known)
	const want = `
# HELP zmy_scaler_evaluations_total Evaluations of triggers, by whether every query was answered.
# TYPE zmy_scaler_evaluations_total counter
zmy_scaler_evaluations_total{result="error"} 1
zmy_scaler_evaluations_total{result="ok"} 0
# HELP zmy_scaler_events_total Kubernetes Events, by what became of them.
# TYPE zmy_scaler_events_total counter
zmy_scaler_events_total{result="dropped"} 0
zmy_scaler_events_total{result="failed"} 0
zmy_scaler_events_total{result="known"} 1
zmy_scaler_events_total{result="limited"} 0
zmy_scaler_events_total{result="written"} 0
# HELP zmy_scaler_source_requests_total Requests to a source, by how they ended.
# TYPE zmy_scaler_source_requests_total counter
zmy_scaler_source_requests_total{result="timeout",source="default"} 1
`
	if err := testutil.GatherAndCompare(m.Registry, strings.NewReader(want), "zmy_scaler_evaluations_total", "zmy_scaler_events_total", "zmy_scaler_source_requests_total"); err != nil {
		t.Error(err)
	}
	families, err := m.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names bytes.Buffer
	for _, f := range families {
		names.WriteString(f.GetName() + "\n")
	}
	for _, name := range []string{
		"zmy_scaler_build_info", "zmy_scaler_evaluation_duration_seconds", "zmy_scaler_source_request_duration_seconds",
		"go_goroutines", "process_cpu_seconds_total",
	} {
		if !strings.Contains(names.String(), name+"\n") {
			t.Errorf("%s is missing", name)
		}
	}
	if problems, err := testutil.GatherAndLint(m.Registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
