package kube

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

const (
	pathObjects      = "keda.sh/v1alpha1/scaledobjects"
	pathHPAs         = "autoscaling/v2/horizontalpodautoscalers"
	pathDeployments  = "apps/v1/deployments"
	pathStatefulSets = "apps/v1/statefulsets"
	pathPods         = "v1/pods"
	pathRollouts     = "argoproj.io/v1alpha1/rollouts"
)

// ours is the metadata of the trigger that tests ask for.
func ours() map[string]string {
	return map[string]string{"scalerAddress": "zmy:6000", "zmyQuery": "zmy"}
}

// with returns a copy of an object in which the field at a dotted path is set.
// Dots within a name are written as a bar.
func with(o object, path string, value any) object {
	o = clone(o)
	at := o
	fields := strings.Split(path, ".")
	for i, field := range fields {
		field = strings.ReplaceAll(field, "|", ".")
		if i == len(fields)-1 {
			at[field] = value
			break
		}
		next, ok := at[field].(object)
		if !ok {
			next = object{}
			at[field] = next
		}
		at = next
	}
	return o
}

func external(metricType string, metadata map[string]string) object {
	t := object{"type": "external", "metadata": metadata}
	if metricType != "" {
		t["metricType"] = metricType
	}
	return t
}

func newScaledObject(triggers ...object) object {
	if len(triggers) == 0 {
		triggers = []object{external("Value", ours())}
	}
	return object{
		"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
		"metadata": object{"namespace": "shop", "name": "worker", "uid": "uid-1"},
		"spec": object{
			"scaleTargetRef": object{"name": "worker"},
			"triggers":       triggers,
		},
	}
}

func newWorkload(kind string, replicas any, status int) object {
	o := object{
		"apiVersion": "apps/v1", "kind": kind,
		"metadata": object{"namespace": "shop", "name": "worker"},
		"spec": object{
			"selector": object{"matchLabels": object{"app": "worker"}},
		},
		"status": object{},
	}
	if replicas != nil {
		o["spec"].(object)["replicas"] = replicas
	}
	if status > 0 {
		o["status"].(object)["replicas"] = status
	}
	return o
}

func newPod(name, app, phase, ready string) object {
	return object{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": object{"namespace": "shop", "name": name, "labels": object{"app": app}},
		"status": object{
			"phase": phase,
			"conditions": []object{
				{"type": "PodScheduled", "status": "True"},
				{"type": "Ready", "status": ready},
			},
		},
	}
}

func newHPA(name string, lastScale time.Time) object {
	o := object{
		"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
		"metadata": object{
			"namespace": "shop", "name": name,
			"ownerReferences": []object{{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "worker", "uid": "uid-1"}},
		},
		"spec": object{"minReplicas": 1, "maxReplicas": 100},
	}
	if !lastScale.IsZero() {
		o["status"] = object{"lastScaleTime": lastScale.UTC().Format(time.RFC3339)}
	}
	return o
}

// fleet puts a deployment with ready pods, and its ScaledObject.
func (s *apiServer) fleet(replicas int) {
	s.put(pathObjects, newScaledObject())
	s.put(pathDeployments, newWorkload("Deployment", replicas, replicas))
	for i := range replicas {
		s.put(pathPods, newPod(fmt.Sprint("worker-", i), "worker", "Running", "True"))
	}
}

// start runs a reader of the server until the test ends.
func (s *apiServer) start(t testing.TB) *Reader {
	t.Helper()
	r, err := New(s.config(), discard(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	run(t, r)
	return r
}

func run(t testing.TB, r *Reader) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// elapse lets time pass, and then what it set going come to rest.
func elapse(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// look looks at the object of the tests.
func look(t testing.TB, r *Reader) View {
	t.Helper()
	return r.Look(t.Context(), "shop", "worker", ours())
}

func defaults() decision.Tolerance {
	return decision.Tolerance{Down: decision.DefaultTolerance, Up: decision.DefaultTolerance}
}

func same[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
