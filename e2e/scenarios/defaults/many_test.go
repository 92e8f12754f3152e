package defaults

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	v2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

const (
	objects  = 300
	replicas = 2
	interval = 5 * time.Second
	watched  = 3 * time.Minute
)

// pair is one fleet with its ScaledObject.
const pair = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: w%[1]d, labels: {many: "yes"}}
spec:
  replicas: %[2]d
  selector: {matchLabels: {app: w%[1]d}}
  template:
    metadata: {labels: {app: w%[1]d}}
    spec: {containers: [{name: worker, image: "example.invalid/worker:1"}]}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: w%[1]d}
spec:
  scaleTargetRef: {name: w%[1]d}
  minReplicaCount: 1
  maxReplicaCount: 20
  pollingInterval: 30
  triggers:
  - type: external
    metricType: Value
    metadata: {scalerAddress: "%[3]s", metricType: Value, zmyQuery: '%[4]s'}
`

// many puts three hundred ScaledObjects on one scaler. All work, and none moves.
func many(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{Patience: 15 * time.Minute, OwnPrometheus: true, Install: func(s *stage.Stage) cluster.ScalerOptions {
		config := strings.ReplaceAll(s.Config(), "interval: 1s, timeout: 1s", fmt.Sprintf("interval: %s, timeout: 4s", interval))
		return cluster.ScalerOptions{Config: config}
	}})
	began := time.Now()
	numbers := map[string]float64{}
	for i := range objects {
		series := fmt.Sprintf(`zmy{fleet="w%d"}`, i)
		numbers[series] = 0.4 + 0.001*float64(i)
		s.ApplyText(ctx, fmt.Sprintf(pair, i, replicas, s.Scaler.Address(), series))
		s.Prometheus.Set(numbers)
	}
	t.Logf("applied %d ScaledObjects in %v", objects, time.Since(began).Round(time.Second))
	if err := wait.Within(ctx, 4*time.Minute, "all HPAs", func(ctx context.Context) error { return working(ctx, s) }); err != nil {
		t.Fatal(err)
	}
	t.Logf("all HPAs work after %v", time.Since(began).Round(time.Second))
	moves := watchAll(ctx, t, s)
	before, err := s.Prometheus.Requests(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := wait.Pass(ctx, watched, func(context.Context) error { return moves() }); err != nil {
		t.Fatal(err)
	}
	after, err := s.Prometheus.Requests(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d ScaledObjects: %.1f requests to Prometheus per interval of %v", objects, (after-before)/(watched.Seconds()/interval.Seconds()), interval)
	// One of so many may just have missed its metric once.
	if err := wait.Within(ctx, time.Minute, "all HPAs, at the end", func(ctx context.Context) error { return working(ctx, s) }); err != nil {
		t.Error(err)
	}
}

// working reports whether every HPA reads its metric.
func working(ctx context.Context, s *stage.Stage) error {
	hpas, err := s.Client().AutoscalingV2().HorizontalPodAutoscalers(s.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	n := 0
	for _, hpa := range hpas.Items {
		for _, c := range hpa.Status.Conditions {
			if c.Type == v2.ScalingActive && c.Status == "True" {
				n++
			}
		}
	}
	if n != objects {
		return fmt.Errorf("%d of %d HPAs work", n, objects)
	}
	return nil
}

// watchAll returns a function that reports whether any fleet has moved since.
func watchAll(ctx context.Context, t *testing.T, s *stage.Stage) func() error {
	t.Helper()
	w, err := s.Client().AppsV1().Deployments(s.Namespace).Watch(ctx, metav1.ListOptions{LabelSelector: "many=yes"})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var moved error
	go func() {
		for event := range w.ResultChan() {
			if d, ok := event.Object.(*appsv1.Deployment); ok && *d.Spec.Replicas != replicas {
				mu.Lock()
				moved = errors.Join(moved, fmt.Errorf("%s went to %d", d.Name, *d.Spec.Replicas))
				mu.Unlock()
			}
		}
	}()
	return func() error {
		mu.Lock()
		defer mu.Unlock()
		return moved
	}
}
