package incluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
)

// undressed is how images begin that the scenarios use in name only, since on a
// control plane without nodes nothing runs in a pod.
const undressed = "example.invalid/"

// dress gives workers a program: it looks out for workloads whose containers have
// an image in name only. They then serve, and are ready when a probe says so.
func (c *Cluster) dress(ctx context.Context) error {
	client, err := dynamic.NewForConfig(c.Config())
	if err != nil {
		return err
	}
	factory := dynamicinformer.NewDynamicSharedInformerFactory(client, 0)
	for _, kind := range []string{"deployments", "statefulsets"} {
		resource := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: kind}
		look := func(object any) {
			workload, ok := object.(*unstructured.Unstructured)
			if !ok || !ours(workload) {
				return
			}
			patch, err := clothes(workload, c.o.Kit.Actor.Name)
			if patch == nil && err == nil {
				return
			}
			c.goes(workload.GetNamespace())
			if err == nil {
				_, err = client.Resource(resource).Namespace(workload.GetNamespace()).
					Patch(ctx, workload.GetName(), types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: cluster.Manager + "-dress"})
			}
			if err != nil && ctx.Err() == nil {
				fmt.Fprintf(c.o.Log, "dress %s %s/%s: %v\n", kind, workload.GetNamespace(), workload.GetName(), err)
			}
		}
		if _, err := factory.ForResource(resource).Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    look,
			UpdateFunc: func(_, object any) { look(object) },
		}); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	for resource, ok := range factory.WaitForCacheSync(ctx.Done()) {
		if !ok {
			return fmt.Errorf("watch %s: %w", resource.Resource, context.Cause(ctx))
		}
	}
	return nil
}

// ours reports whether a scenario has applied the workload.
func ours(workload *unstructured.Unstructured) bool {
	return slices.ContainsFunc(workload.GetManagedFields(), func(f metav1.ManagedFieldsEntry) bool { return f.Manager == cluster.Manager })
}

// clothes returns the patch that a workload needs, or nil.
func clothes(workload *unstructured.Unstructured, image string) ([]byte, error) {
	containers, _, err := unstructured.NestedSlice(workload.Object, "spec", "template", "spec", "containers")
	if err != nil {
		return nil, err
	}
	var dressed []corev1.Container
	for _, container := range containers {
		fields, _ := container.(map[string]any)
		name, _ := fields["name"].(string)
		if was, _ := fields["image"].(string); strings.HasPrefix(was, undressed) {
			dressed = append(dressed, worker(name, image))
		}
	}
	if len(dressed) == 0 {
		return nil, nil
	}
	return json.Marshal(map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
		"containers": dressed, "securityContext": restrictedPod(), "automountServiceAccountToken": false,
		"enableServiceLinks": false,
	}}}})
}

// worker returns a container that is ready as long after its start as the pod's
// annotation says.
func worker(name, image string) corev1.Container {
	const port = 8080
	return corev1.Container{
		Name: name, Image: image,
		Args: []string{fmt.Sprintf("-listen=:%d", port), "-ready-after=$(READY_AFTER)"},
		Env: []corev1.EnvVar{{Name: "READY_AFTER", ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['e2e/ready-after']"},
		}}},
		ReadinessProbe:  probe("/ready", port),
		SecurityContext: restrictedContainer(),
	}
}
