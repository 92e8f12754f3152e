package client

import (
	"context"
	"testing"
	"time"

	v2 "k8s.io/api/autoscaling/v2"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// answerCase is a history in Prometheus, and what a scaler that has just started
// must make of it.
type answerCase struct {
	name     string
	yield    []stretch // the last one goes on
	workers  float64
	metadata map[string]string
	replicas int
	active   bool
}

func answerCases() []answerCase {
	minutes := func(n float64) time.Duration { return time.Duration(n * float64(time.Minute)) }
	return []answerCase{
		{name: "hold", yield: []stretch{{minutes(30), 0.5}}, workers: 10, replicas: 10, active: true},
		{name: "hold on the lower boundary", yield: []stretch{{minutes(30), 0.3}}, workers: 10, replicas: 10, active: true},
		{name: "hold on the upper boundary", yield: []stretch{{minutes(30), 0.9}}, workers: 10, replicas: 10, active: true},
		// 9 busy workers at a load of 0.3.
		{name: "up", yield: []stretch{{minutes(30), 0.1}}, workers: 10, replicas: 30, active: true},
		{
			name: "up after its delay", yield: []stretch{{minutes(29), 0.5}, {minutes(1), 0.1}}, workers: 10,
			metadata: map[string]string{"scaleUpDelay": "30s"}, replicas: 30, active: true,
		},
		{
			name: "up not before its delay", yield: []stretch{{minutes(29), 0.5}, {minutes(1), 0.1}}, workers: 10,
			metadata: map[string]string{"scaleUpDelay": "5m"}, replicas: 10, active: true,
		},
		// 1.6 busy workers: two would be at 0.8 and scale up again.
		{name: "down", yield: []stretch{{minutes(30), 0.92}}, workers: 20, replicas: 3, active: true},
		{
			name: "down to the floor", yield: []stretch{{minutes(30), 0.92}}, workers: 20,
			metadata: map[string]string{"scaleDownMode": "floor"}, replicas: 1, active: true,
		},
		{
			name: "down in proportion", yield: []stretch{{minutes(30), 0.92}}, workers: 20,
			metadata: map[string]string{"scaleDownMode": "proportional"}, replicas: 6, active: true,
		},
		{name: "down not before its delay", yield: []stretch{{minutes(26), 0.5}, {minutes(4), 0.97}}, workers: 10, replicas: 10, active: true},
		{
			name: "down forbidden by the guard", yield: []stretch{{minutes(30), 0.97}}, workers: 10,
			metadata: map[string]string{"guardQuery": "vector(1)"}, replicas: 10, active: true,
		},
		{name: "inactive", yield: []stretch{{minutes(30), 0.97}}, workers: 10, replicas: 1, active: false},
		// 100 workers at 0.96 do the work of four.
		{name: "idle, but work for more than one", yield: []stretch{{minutes(30), 0.96}}, workers: 100, replicas: 6, active: true},
		{
			name: "inactive, but landing", yield: []stretch{{minutes(30), 0.97}}, workers: 10,
			metadata: map[string]string{"gracefulLanding": "true"}, replicas: 1, active: true,
		},
		{
			name: "shadow", yield: []stretch{{minutes(30), 0.1}}, workers: 10,
			metadata: map[string]string{"mode": "shadow"}, replicas: 10, active: true,
		},
	}
}

// TestAnswer asks each case once, as the first question ever, under both metric
// types, and again.
func TestAnswer(t *testing.T) {
	p := promquerytest.New(t, "")
	from := time.Now().Add(-30 * time.Minute)
	cases := answerCases()
	for _, tc := range cases {
		goesOn := stretch{10 * time.Minute, tc.yield[len(tc.yield)-1].value}
		load(t, p, "zmy", tc.name, from, append(tc.yield, goesOn)...)
		load(t, p, "workers", tc.name, from, stretch{40 * time.Minute, tc.workers})
	}
	// The defaults of the contract: a grid of 15 s, 5 s in the past.
	scaler := rig.StartScaler(t, "scaler", "--prometheus-url="+p.URL)
	for _, tc := range cases {
		for _, metricType := range []v2.MetricTargetType{v2.AverageValueMetricType, v2.ValueMetricType} {
			t.Run(tc.name+"/"+string(metricType), func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				s := rig.Trigger{Address: scaler.GRPC, MetricType: metricType, Metadata: merge(map[string]string{
					"zmyQuery": `zmy{instance="` + tc.name + `"}`, "replicasQuery": `workers{instance="` + tc.name + `"}`,
					"metricType": string(metricType),
				}, tc.metadata)}.Poll(t)
				for _, when := range []string{"the first time", "again"} {
					got, err := rig.Ask(ctx, s)
					if err != nil {
						t.Fatal(err)
					}
					if n := got.Replicas(metricType, target, int(tc.workers)); n != tc.replicas || got.Active != tc.active {
						t.Errorf("asked %s: value %d means %d replicas, active %v; want %d, %v", when, got.Milli, n, got.Active, tc.replicas, tc.active)
					}
				}
			})
		}
	}
}

// TestFromEnv has the query come from the environment of the target's container.
func TestFromEnv(t *testing.T) {
	p := promquerytest.New(t, "")
	steady(t, p, "zmy", 0.1)
	steady(t, p, "workers", 10)
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": p.URL}}.Write(t))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s := rig.Trigger{
		Address:  scaler.GRPC,
		Metadata: map[string]string{"zmyQueryFromEnv": "YIELD", "replicasQueryFromEnv": "WORKERS", "cpuQueryFromEnv": "UNSET"},
		Env:      map[string]string{"YIELD": "avg(zmy)", "WORKERS": "sum(workers)"},
	}.Poll(t)
	got, err := rig.Ask(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if want := (rig.Answer{Milli: 30 * target, Active: true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestZero follows a fleet at zero: asleep while nothing wakes it.
func TestZero(t *testing.T) {
	p := promquerytest.New(t, "")
	steady(t, p, "workers", 0)
	steady(t, p, "lag", 7)
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": p.URL}}.Write(t))
	tests := []struct {
		name   string
		wake   string
		active bool
	}{
		{name: "asleep", wake: "lag * 0"},
		{name: "woken", wake: "lag", active: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			s := rig.Trigger{Address: scaler.GRPC, Metadata: map[string]string{
				"zmyQuery": "zmy", "replicasQuery": "workers", "wakeQuery": tc.wake,
			}}.Poll(t)
			got, err := rig.Ask(ctx, s)
			if err != nil {
				t.Fatal(err)
			}
			if got.Active != tc.active {
				t.Errorf("active %v, want %v", got.Active, tc.active)
			}
		})
	}
}
