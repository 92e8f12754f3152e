package demo

import (
	"maps"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/fleet"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// namespace is where the demo's ScaledObjects live.
const namespace = "demo"

// preload is how much history there is before the demo starts, so that all
// windows are filled.
const preload = 20 * time.Minute

// workload is a fleet and the ScaledObject that scales it.
type workload struct {
	name string
	// about names what its trigger uses.
	about    string
	fleet    fleet.Config
	min, max int
	polling  time.Duration
	cooldown time.Duration
	// push makes its trigger external-push: KEDA is told when to wake it.
	push bool
	// triggers has the one that scales first; others are in shadow mode.
	triggers []triggerSpec
}

// triggerSpec is one trigger of a ScaledObject.
type triggerSpec struct {
	metricType decision.MetricType
	metadata   map[string]string
}

// scenario returns the fleets. The curves start preload before the demo does.
func scenario() []workload {
	return []workload{payment(), orders(), inference(), render()}
}

// payment is a service under bursts, scaled by its yield and its CPU. Kubernetes
// tells its replicas.
func payment() workload {
	return workload{
		name: "payment", about: "Value, cpuQuery",
		fleet: fleet.Config{
			Replicas: 4, StartDelay: 40 * time.Second, IdleCPU: 0.1, BusyCPU: 0.9, Noise: 0.05, Seed: 1,
			Demand: fleet.Bursts(0.8, 4, 3*time.Minute, 6*time.Minute, 20*time.Minute).Later(preload),
		},
		min: 2, max: 12, polling: 30 * time.Second, cooldown: 5 * time.Minute,
		triggers: []triggerSpec{{decision.Value, metadata(map[string]string{
			"zmyQuery": `avg_over_time(zmy{job="payment"}[1m])`,
			"cpuQuery": `avg_over_time(worker_cpu_ratio{job="payment"}[1m])`,
		})}},
	}
}

// orders are consumers of a queue that sleep at night and are woken by what waits.
func orders() workload {
	const day, night = 16 * time.Minute, 14 * time.Minute
	return workload{
		name: "orders", about: "external-push, Value, wakeQuery, to zero",
		fleet: fleet.Config{
			Replicas: 6, StartDelay: 30 * time.Second, IdleCPU: 0.05, BusyCPU: 0.5, Noise: 0.05, Seed: 2,
			// The demo starts three minutes before dusk.
			Demand: fleet.Day(5, day, night).Later(preload + 3*time.Minute - day),
		},
		min: 0, max: 20, polling: 30 * time.Second, cooldown: 2 * time.Minute, push: true,
		triggers: []triggerSpec{{decision.Value, metadata(map[string]string{
			"zmyQuery":        `avg_over_time(zmy{job="orders"}[1m])`,
			"replicasQuery":   `workers_ready{job="orders"}`,
			"wakeQuery":       `queue_waiting{job="orders"}`,
			"scaleDownDelay":  "3m",
			"gracefulLanding": "true",
		})}},
	}
}

// inference has workers that start slowly, and keeps them a while after
// requests have waited.
func inference() workload {
	return workload{
		name: "inference", about: "Value, guardQuery, slow start",
		fleet: fleet.Config{
			Replicas: 8, StartDelay: 90 * time.Second, IdleCPU: 0.2, BusyCPU: 0.4, Noise: 0.05, Seed: 3,
			Demand: fleet.Bursts(0.6, 3, 8*time.Minute, 5*time.Minute, 24*time.Minute).Later(preload),
		},
		min: 1, max: 10, polling: 30 * time.Second, cooldown: 5 * time.Minute,
		triggers: []triggerSpec{{decision.Value, metadata(map[string]string{
			"zmyQuery":      `avg_over_time(zmy{job="inference"}[1m])`,
			"replicasQuery": `workers_ready{job="inference"}`,
			"guardQuery":    `max_over_time(queue_waiting{job="inference"}[10m]) > bool 0`,
		})}},
	}
}

// render is steady. A second trigger, in shadow mode, tries another policy.
func render() workload {
	return workload{
		name: "render", about: "AverageValue, replicasQuery",
		fleet: fleet.Config{
			Replicas: 10, StartDelay: 40 * time.Second, IdleCPU: 0.1, BusyCPU: 0.95, Noise: 0.08, Seed: 4,
			Demand: fleet.Steady(3),
		},
		min: 2, max: 20, polling: 30 * time.Second, cooldown: 5 * time.Minute,
		triggers: []triggerSpec{
			{decision.AverageValue, metadata(map[string]string{
				"zmyQuery":      `avg_over_time(zmy{job="render"}[1m])`,
				"replicasQuery": `workers_ready{job="render"}`,
			})},
			{decision.AverageValue, metadata(map[string]string{
				"zmyQuery":           `avg_over_time(zmy{job="render"}[1m])`,
				"replicasQuery":      `workers_ready{job="render"}`,
				"metricName":         "trial",
				"mode":               "shadow",
				"scaleDownThreshold": "0.6",
				"scaleDownMode":      "proportional",
				"triggerThreshold":   "50",
			})},
		},
	}
}

// metadata adds what all triggers have.
func metadata(own map[string]string) map[string]string {
	all := map[string]string{"scalerAddress": "127.0.0.1"}
	maps.Copy(all, own)
	return all
}
