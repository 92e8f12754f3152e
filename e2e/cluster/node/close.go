package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// farewell is how long the pods, and then the containers, may take to end. The end
// of the run ends what has not.
const farewell = 30 * time.Second

// Close takes everything off the node in order and ends it.
func (n *Node) Close(ctx context.Context) error {
	var err error
	if n.joined { // or there is nothing to take off
		err = n.drain(ctx)
	}
	return errors.Join(err, n.Plane.Close(ctx))
}

// drain removes all pods. The node takes no new ones, or the ReplicaSets would
// start them while the old ones go. External metrics go before KEDA: the API server
// waits for those that should serve them when it removes a namespace.
func (n *Node) drain(ctx context.Context) error {
	if _, err := n.Client.CoreV1().Nodes().Patch(ctx, name, types.MergePatchType, []byte(`{"spec":{"unschedulable":true}}`), metav1.PatchOptions{}); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("cordon the node: %w", err)
	}
	client, err := dynamic.NewForConfig(n.Config())
	if err != nil {
		return err
	}
	services := schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}
	if err := client.Resource(services).Delete(ctx, "v1beta1.external.metrics.k8s.io", metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove external metrics: %w", err)
	}
	if err := n.deletePods(ctx); err != nil {
		return err
	}
	return wait.Within(ctx, farewell, "the containers to end", func(context.Context) error { return n.running() })
}

// deletePods deletes all pods and waits until they are gone.
func (n *Node) deletePods(ctx context.Context) error {
	second := int64(1)
	return wait.Within(ctx, farewell, "the pods to end", func(ctx context.Context) error {
		all, err := n.Client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + name})
		if err != nil {
			return err
		}
		for _, pod := range all.Items {
			if pod.DeletionTimestamp == nil {
				err = errors.Join(err, n.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &second}))
			}
		}
		if len(all.Items) > 0 {
			err = errors.Join(err, fmt.Errorf("%d pods are left, the first is %s/%s", len(all.Items), all.Items[0].Namespace, all.Items[0].Name))
		}
		return err
	})
}

// running returns an error while containerd runs a container.
func (n *Node) running() error {
	tasks, err := filepath.Glob("/run/containerd/io.containerd.runtime.v2.task/k8s.io/*")
	if err == nil && len(tasks) > 0 {
		err = fmt.Errorf("%d run, the first has %s", len(tasks), tasks[0])
	}
	return err
}
