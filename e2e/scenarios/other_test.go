package scenarios

import (
	"fmt"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// load is a second Deployment; a trigger of KEDA's own counts its pods.
const load = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: load}
spec:
  replicas: %d
  selector: {matchLabels: {app: load}}
  template:
    metadata: {labels: {app: load}}
    spec: {containers: [{name: load, image: "example.invalid/load:1"}]}
`

func sized(manifest string, replicas int) string { return fmt.Sprintf(manifest, replicas) }

// besideAnother gives the ScaledObject a trigger of another kind, and takes our
// data away. While we hold, and also when we have nothing left to say, the other
// one goes on working.
func besideAnother(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{OwnPrometheus: true})
	s.Work(2)
	s.ApplyText(ctx, sized(load, 2))
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{
		{Metadata: map[string]string{"maxStaleness": "3s", "holdFor": "20s"}},
		{Type: "kubernetes-workload", MetricType: "AverageValue", Metadata: map[string]string{"podSelector": "app=load", "value": "1"}},
	}})
	s.Stays(ctx, 3*time.Second)
	must(t, s.Prometheus.Stop(ctx))
	stopped := time.Now()
	s.Stays(ctx, 6*time.Second)
	s.ApplyText(ctx, sized(load, 8))
	s.Becomes(ctx, 8) // we hold
	s.Stays(ctx, time.Until(stopped.Add(30*time.Second)))
	s.ApplyText(ctx, sized(load, 12))
	s.Becomes(ctx, 12) // we say nothing
	must(t, s.Prometheus.Start(ctx))
	s.Work(5.5)
	s.ApplyText(ctx, sized(load, 3))
	s.Stays(ctx, 8*time.Second) // 0.54: hold
	s.Work(0.8)
	s.Becomes(ctx, 3)
	s.HPAWants(ctx, 3)
	s.Went(4, 8, 12, 3)
}
