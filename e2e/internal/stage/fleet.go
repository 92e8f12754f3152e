package stage

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Fleet is a scale target.
type Fleet struct {
	// Kind is Deployment or StatefulSet.
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
	if f.Kind == "StatefulSet" {
		r.Resource = "statefulsets"
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
	if f.Kind == "StatefulSet" {
		spec["serviceName"], spec["podManagementPolicy"] = fleetName, "Parallel"
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": f.Kind,
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
