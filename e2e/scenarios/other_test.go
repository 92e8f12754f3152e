package scenarios

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// besideAnother gives the ScaledObject a trigger of another kind, KEDA's own for
// another Prometheus, and takes our data away. While we hold, and also when we have
// nothing left to say, the other one goes on working. A scrape finds the other's
// number changed as a whole: pods, which KEDA can count as well, come one by one.
func besideAnother(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{OwnPrometheus: true})
	s.Work(2)
	load := s.Query("load")
	wanted := func(n float64) { w.Prometheus.Set(map[string]float64{load: n}) }
	t.Cleanup(func() { w.Prometheus.Unset(load) })
	wanted(2)
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{
		{Metadata: map[string]string{"maxStaleness": "3s", "holdFor": "20s"}},
		{Type: "prometheus", MetricType: "AverageValue", Metadata: map[string]string{"serverAddress": w.Prometheus.URL(), "query": load, "threshold": "1"}},
	}})
	s.Stays(ctx, 3*time.Second)
	must(t, s.Prometheus.Stop(ctx))
	stopped := time.Now()
	s.Stays(ctx, 6*time.Second)
	wanted(8)
	s.Becomes(ctx, 8) // we hold
	s.Stays(ctx, time.Until(stopped.Add(30*time.Second)))
	wanted(12)
	s.Becomes(ctx, 12) // we say nothing
	must(t, s.Prometheus.Start(ctx))
	s.Work(5.5)
	wanted(3)
	s.Stays(ctx, 8*time.Second) // 0.54: hold
	s.Work(0.8)
	s.Becomes(ctx, 3)
	s.HPAWants(ctx, 3)
	s.Went(4, 8, 12, 3)
}
