package stage

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// crewKind is the kind that [cluster.Crews] defines. Its controller is below: the
// pods of a Crew are those of a Deployment behind it.
const crewKind = "Crew"

// crewPods is the name of the Deployment behind a Crew.
const crewPods = "crew-pods"

func crews() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "e2e.example.com", Version: "v1", Resource: "crews"}
}

// beginCrew starts the kind's controller.
func (s *Stage) beginCrew(ctx context.Context) error {
	if err := wait.Within(ctx, soon, "the kind Crew", func(ctx context.Context) error {
		_, err := s.dynamic.Resource(crews()).Namespace(s.Namespace).List(ctx, metav1.ListOptions{})
		return err
	}); err != nil {
		return err
	}
	pods := Fleet{Kind: "Deployment", Replicas: s.Fleet.Replicas}.object(s.Namespace)
	pods.SetName(crewPods)
	if err := s.apply(ctx, pods); err != nil {
		return err
	}
	go s.control(ctx)
	return nil
}

// control keeps the Deployment as large as the Crew, and the Crew's status as the
// Deployment's is.
func (s *Stage) control(ctx context.Context) {
	for ctx.Err() == nil {
		// It ends with the context, and only so; what fails is tried again.
		_ = wait.Within(ctx, time.Hour, "the end", func(ctx context.Context) error {
			if err := s.reconcile(ctx); err != nil {
				return err
			}
			return context.DeadlineExceeded
		})
	}
}

func (s *Stage) reconcile(ctx context.Context) error {
	crew, err := s.dynamic.Resource(crews()).Namespace(s.Namespace).Get(ctx, fleetName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	n, _, err := unstructured.NestedInt64(crew.Object, "spec", "replicas")
	if err != nil {
		return err
	}
	pods, err := s.client.AppsV1().Deployments(s.Namespace).Get(ctx, crewPods, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if int64(*pods.Spec.Replicas) != n {
		if err := s.patch(ctx, Fleet{}.resource(), crewPods, fmt.Sprintf(`{"spec":{"replicas":%d}}`, n)); err != nil {
			return err
		}
	}
	status := map[string]any{
		"replicas": int64(pods.Status.Replicas), "readyReplicas": int64(pods.Status.ReadyReplicas), "selector": "app=" + fleetName,
	}
	if fmt.Sprint(crew.Object["status"]) == fmt.Sprint(status) {
		return nil
	}
	crew.Object["status"] = status
	_, err = s.dynamic.Resource(crews()).Namespace(s.Namespace).UpdateStatus(ctx, crew, metav1.UpdateOptions{})
	return err
}
