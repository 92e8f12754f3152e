package stage

import (
	"context"
	"fmt"
	"maps"
	"strings"

	v2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// Object is a ScaledObject for the fleet.
type Object struct {
	Min, Max int
	// PollingInterval and CooldownPeriod are in seconds; 1 by default.
	PollingInterval, CooldownPeriod int
	Triggers                        []Trigger
	// More is put into the spec; Behavior into the HPA's.
	More, Behavior map[string]any
}

// Trigger is a trigger of a ScaledObject.
type Trigger struct {
	// Type and MetricType are external and Value by default.
	Type, MetricType string
	// Metadata is added to what every trigger of ours has here. For another Type
	// it is all there is.
	Metadata map[string]string
	// Authentication names a TriggerAuthentication.
	Authentication string
}

func scaledObjects() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}
}

// hpaName is the name that KEDA gives the HPA.
const hpaName = "keda-hpa-" + fleetName

// Scale applies a ScaledObject, and waits until its HPA works.
func (s *Stage) Scale(ctx context.Context, o Object) {
	s.t.Helper()
	s.Apply(ctx, o)
	s.HPAWorks(ctx)
}

// Apply applies a ScaledObject.
func (s *Stage) Apply(ctx context.Context, o Object) {
	s.t.Helper()
	s.must(s.apply(ctx, s.scaledObject(o)))
}

// Manifest returns a ScaledObject as Apply applies it.
func (s *Stage) Manifest(o Object) []byte {
	s.t.Helper()
	text, err := s.scaledObject(o).MarshalJSON()
	s.must(err)
	return text
}

// ApplyText applies manifests to the namespace.
func (s *Stage) ApplyText(ctx context.Context, text string) {
	s.t.Helper()
	s.must(s.objects.ApplyText(ctx, s.Namespace, text))
}

func (s *Stage) apply(ctx context.Context, object *unstructured.Unstructured) error {
	return s.objects.Apply(ctx, s.Namespace, object)
}

// scaledObject returns the manifest. Its HPA takes any step at once, so that what
// is seen is the scaler's doing.
func (s *Stage) scaledObject(o Object) *unstructured.Unstructured {
	anything := map[string]any{
		"stabilizationWindowSeconds": int64(0),
		"policies":                   []any{map[string]any{"type": "Pods", "value": int64(1000), "periodSeconds": int64(1)}},
	}
	behavior := map[string]any{"scaleUp": anything, "scaleDown": anything}
	if o.Behavior != nil {
		behavior = o.Behavior
	}
	var triggers []any
	for _, tr := range o.Triggers {
		triggers = append(triggers, s.trigger(tr))
	}
	spec := map[string]any{
		"scaleTargetRef":  map[string]any{"apiVersion": s.Fleet.resource().GroupVersion().String(), "kind": s.Fleet.Kind, "name": fleetName},
		"pollingInterval": int64(max(1, o.PollingInterval)), "cooldownPeriod": int64(max(1, o.CooldownPeriod)),
		"minReplicaCount": int64(o.Min), "maxReplicaCount": int64(max(1, o.Max)),
		"triggers": triggers,
		"advanced": map[string]any{"horizontalPodAutoscalerConfig": map[string]any{"behavior": behavior}},
	}
	maps.Copy(spec, o.More)
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
		"metadata": map[string]any{"name": fleetName, "namespace": s.Namespace}, "spec": spec,
	}}
}

// trigger returns a trigger. Ours take the yield and the number of workers from
// the model, and are quick to scale down.
func (s *Stage) trigger(tr Trigger) map[string]any {
	if tr.Type == "" {
		tr.Type = "external"
	}
	if tr.MetricType == "" {
		tr.MetricType = "Value"
	}
	metadata := map[string]any{}
	if strings.HasPrefix(tr.Type, "external") {
		metadata = map[string]any{
			"scalerAddress": s.Scaler.Address(), "metricType": tr.MetricType, "scaleDownDelay": "3s",
			"zmyQuery": s.Query("zmy"), "replicasQuery": s.Query("workers"),
		}
	}
	for k, v := range tr.Metadata {
		if v == "" {
			delete(metadata, k)
		} else {
			metadata[k] = v
		}
	}
	trigger := map[string]any{"type": tr.Type, "metricType": tr.MetricType, "metadata": metadata}
	if tr.Authentication != "" {
		trigger["authenticationRef"] = map[string]any{"name": tr.Authentication}
	}
	return trigger
}

func (s *Stage) patch(ctx context.Context, resource schema.GroupVersionResource, name, patch string) error {
	_, err := s.dynamic.Resource(resource).Namespace(s.Namespace).
		Patch(ctx, name, types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: cluster.Manager})
	return err
}

// Annotate sets an annotation of the ScaledObject; an empty value removes it.
func (s *Stage) Annotate(ctx context.Context, key, value string) {
	s.t.Helper()
	text := "null"
	if value != "" {
		text = fmt.Sprintf("%q", value)
	}
	s.must(s.patch(ctx, scaledObjects(), fleetName, fmt.Sprintf(`{"metadata":{"annotations":{%q:%s}}}`, key, text)))
}

// HPA returns the HPA.
func (s *Stage) HPA(ctx context.Context) (*v2.HorizontalPodAutoscaler, error) {
	return s.client.AutoscalingV2().HorizontalPodAutoscalers(s.Namespace).Get(ctx, hpaName, metav1.GetOptions{})
}

// HPAWorks waits until the HPA has read its metrics.
func (s *Stage) HPAWorks(ctx context.Context) {
	s.t.Helper()
	s.must(wait.Within(ctx, soon, "the HPA", func(ctx context.Context) error {
		hpa, err := s.HPA(ctx)
		if err != nil {
			return err
		}
		for _, c := range hpa.Status.Conditions {
			if c.Type == v2.ScalingActive && c.Status == "True" {
				return nil
			}
		}
		return fmt.Errorf("its conditions are %+v", hpa.Status.Conditions)
	}))
}

// HPAWants waits until the HPA's own status says this size, as current and as
// desired, and that it can scale.
func (s *Stage) HPAWants(ctx context.Context, n int) {
	s.t.Helper()
	s.must(wait.Within(ctx, soon, "the HPA's status", func(ctx context.Context) error {
		hpa, err := s.HPA(ctx)
		if err != nil {
			return err
		}
		status := hpa.Status
		if int(status.CurrentReplicas) != n || int(status.DesiredReplicas) != n {
			return fmt.Errorf("current %d, desired %d, want %d", status.CurrentReplicas, status.DesiredReplicas, n)
		}
		for _, c := range status.Conditions {
			if c.Type != v2.ScalingLimited && c.Status != "True" {
				return fmt.Errorf("%s is %s: %s: %s", c.Type, c.Status, c.Reason, c.Message)
			}
		}
		return nil
	}))
}

// Condition waits for a condition of the ScaledObject.
func (s *Stage) Condition(ctx context.Context, kind, want string) {
	s.t.Helper()
	s.must(wait.Within(ctx, soon, fmt.Sprintf("%s=%s on the ScaledObject", kind, want), func(ctx context.Context) error {
		object, err := s.dynamic.Resource(scaledObjects()).Namespace(s.Namespace).Get(ctx, fleetName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
		if err != nil {
			return err
		}
		for _, c := range conditions {
			if condition, _ := c.(map[string]any); condition["type"] == kind && condition["status"] == want {
				return nil
			}
		}
		return fmt.Errorf("its conditions are %v", conditions)
	}))
}
