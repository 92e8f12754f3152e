package stage

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// Fleet is a scale target.
type Fleet struct {
	// Kind is Deployment, StatefulSet or Crew, which is a custom resource.
	Kind     string
	Replicas int
	// ReadyAfter is how long a pod runs before it is ready, such as 3s.
	ReadyAfter string
}

// fleetName is the name of every scale target, and its label.
const fleetName = "workers"

func (f Fleet) defaults() Fleet {
	if f.Kind == "" {
		f.Kind = "Deployment"
	}
	if f.Replicas == 0 {
		f.Replicas = 4
	}
	return f
}

// resource returns where the target is found.
func (f Fleet) resource() schema.GroupVersionResource {
	r := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	switch f.Kind {
	case "StatefulSet":
		r.Resource = "statefulsets"
	case crewKind:
		return crews()
	}
	return r
}

// object returns the target as it is applied.
func (f Fleet) object(namespace string) *unstructured.Unstructured {
	labels := map[string]any{"app": fleetName}
	annotations := map[string]any{}
	if f.ReadyAfter != "" {
		annotations["e2e/ready-after"] = f.ReadyAfter
	}
	spec := map[string]any{
		"replicas": int64(f.Replicas),
		"selector": map[string]any{"matchLabels": labels},
		"template": map[string]any{
			"metadata": map[string]any{"labels": labels, "annotations": annotations},
			"spec": map[string]any{
				"terminationGracePeriodSeconds": int64(0),
				"containers":                    []any{map[string]any{"name": "worker", "image": "example.invalid/worker:1"}},
			},
		},
	}
	switch f.Kind {
	case "StatefulSet":
		spec["serviceName"], spec["podManagementPolicy"] = fleetName, "Parallel"
	case crewKind:
		spec = map[string]any{"replicas": int64(f.Replicas)}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": f.resource().GroupVersion().String(), "kind": f.Kind,
		"metadata": map[string]any{"name": fleetName, "namespace": namespace},
		"spec":     spec,
	}}
}

// Rollout changes the template of a Deployment, so that all pods are replaced.
func (s *Stage) Rollout(ctx context.Context, revision string) {
	s.t.Helper()
	patch := `{"spec":{"template":{"metadata":{"annotations":{"e2e/revision":"` + revision + `"}}}}}`
	s.must(s.patch(ctx, s.Fleet.resource(), fleetName, patch))
}

// RolledOut waits until all pods of a Deployment are of its newest template, and
// ready.
func (s *Stage) RolledOut(ctx context.Context) {
	s.t.Helper()
	s.must(wait.Within(ctx, soon, "the rollout", func(ctx context.Context) error {
		d, err := s.client.AppsV1().Deployments(s.Namespace).Get(ctx, fleetName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		n, status := *d.Spec.Replicas, d.Status
		if status.ObservedGeneration < d.Generation || status.UpdatedReplicas != n || status.Replicas != n || status.ReadyReplicas != n {
			return fmt.Errorf("%d wanted: %+v", n, status)
		}
		return nil
	}))
}
