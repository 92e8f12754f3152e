package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/infra-arch/zmy-scaler/e2e/internal/proc"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// Patience is how long one part may take to come up on a busy machine.
const Patience = 90 * time.Second

// Up waits until a program works, and says so early when it has ended.
func Up(ctx context.Context, p *proc.Process, what string, works func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	return wait.Within(ctx, Patience, what, func(ctx context.Context) error {
		if err := p.Err(); err != nil {
			cancel(err)
			return err
		}
		return works(ctx)
	})
}

// Answers reports whether a URL answers with 200.
func Answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		if err := response.Body.Close(); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return errors.New(url + ": " + response.Status)
		}
		return nil
	}
}

// NodeReady waits until a node is ready.
func (p *Plane) NodeReady(ctx context.Context, name string) error {
	return wait.Within(ctx, Patience, "the node", func(ctx context.Context) error {
		node, err := p.Client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("node %s is not ready: taints %v, conditions %v", name, node.Spec.Taints, node.Status.Conditions)
	})
}

// External waits until the API server has external metrics, which KEDA's adapter
// serves.
func (p *Plane) External(ctx context.Context) error {
	return p.Client.CoreV1().RESTClient().Get().AbsPath("/apis/external.metrics.k8s.io/v1beta1").Do(ctx).Error()
}

// Define applies objects, kinds first, and waits until the API server serves the
// kinds. KEDA's parts end when one is missing.
func (p *Plane) Define(ctx context.Context, namespace string, objects []*unstructured.Unstructured) error {
	isKind := func(o *unstructured.Unstructured) bool { return o.GetKind() == "CustomResourceDefinition" }
	kinds := slices.DeleteFunc(slices.Clone(objects), func(o *unstructured.Unstructured) bool { return !isKind(o) })
	for _, kind := range kinds {
		if err := p.Objects.Apply(ctx, namespace, kind); err != nil {
			return err
		}
	}
	if err := wait.Within(ctx, Patience, "the kinds", func(context.Context) error { return p.served(kinds) }); err != nil {
		return err
	}
	for _, object := range objects {
		if isKind(object) {
			continue
		}
		if err := p.Objects.Apply(ctx, namespace, object); err != nil {
			return err
		}
	}
	return nil
}

// served reports whether the API server serves kinds of KEDA's.
func (p *Plane) served(kinds []*unstructured.Unstructured) error {
	for _, kind := range kinds {
		plural, group, _ := strings.Cut(kind.GetName(), ".")
		known, err := p.Client.Discovery().ServerResourcesForGroupVersion(group + "/v1alpha1")
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(known.APIResources, func(r metav1.APIResource) bool { return r.Name == plural }) {
			return fmt.Errorf("%s are not served yet", kind.GetName())
		}
	}
	return nil
}
