package incluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// selector is how the scaler's pods are found.
const selector = "app.kubernetes.io/name=zmy-scaler,app.kubernetes.io/instance=" + releaseName

// Setup says how a scaler is installed, beyond what a scenario says.
type Setup struct {
	// Namespace is where; in that of the fleet if it is empty.
	Namespace string
	// Values returns values of the chart, for the namespace of the fleet. Without
	// it the admission policy is off, so that KEDA meets what a scenario applies, and
	// replicas are replaced at once.
	Values func(fleet string) map[string]any
}

// With returns the cluster with another setup for its scalers.
func (c *Cluster) With(s Setup) *Cluster {
	other := *c
	other.setup = s
	return &other
}

// quick returns the values of a setup without values.
func quick(string) map[string]any {
	return map[string]any{
		"minReadySeconds": 0, "drainDelaySeconds": 1, "admission": map[string]any{"enabled": false},
		"rbac": map[string]any{"customTargets": []any{map[string]any{"group": "e2e.example.com", "resource": "crews"}}},
	}
}

// scaler is a scaler that was installed by the chart. A Deployment does not number
// its pods: a replica that ends is any of them, and one that was killed comes back
// by itself.
type scaler struct {
	c     *Cluster
	chart Chart

	mu      sync.Mutex
	running int // how many there should be
}

// Scaler installs the older of the two releases.
func (c *Cluster) Scaler(ctx context.Context, namespace string, o cluster.ScalerOptions) (cluster.Scaler, error) {
	if len(o.Files) > 0 {
		return nil, errors.New("files beside the configuration are the chart's to mount")
	}
	values, err := Values(o)
	if err != nil {
		return nil, err
	}
	more := c.setup.Values
	if more == nil {
		more = quick
	}
	s := &scaler{c: c, chart: c.Chart(cmp.Or(c.setup.Namespace, namespace)), running: max(1, o.Replicas)}
	err = s.chart.Install(ctx, c.o.Kit.Releases[0], values, more(namespace))
	for err == nil && o.Stopped && s.running > 0 {
		err = s.Stop(ctx, 0)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, s.Said(ctx)), s.Close(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// Values returns the chart's values for the replicas and the configuration that a
// scenario wants.
func Values(o cluster.ScalerOptions) (map[string]any, error) {
	var config map[string]any
	if err := yaml.Unmarshal([]byte(o.Config), &config); err != nil {
		return nil, fmt.Errorf("the configuration: %w", err)
	}
	return map[string]any{"replicas": max(1, o.Replicas), "config": config}, nil
}

// Address is what stands in triggers.
func (s *scaler) Address() string { return releaseName + "." + s.chart.namespace + ":6000" }

// Start waits until one more runs than before, or until the one is back that was
// killed.
func (s *scaler) Start(ctx context.Context, replica int) error {
	s.mu.Lock()
	s.running = max(s.running, replica+1)
	s.mu.Unlock()
	return s.scale(ctx)
}

// Stop ends one of them in order.
func (s *scaler) Stop(ctx context.Context, _ int) error {
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
	return s.scale(ctx)
}

// scale sets how many there are, and waits until it is so.
func (s *scaler) scale(ctx context.Context) error {
	s.mu.Lock()
	n := s.running
	s.mu.Unlock()
	if err := s.patch(ctx, fmt.Sprintf(`{"spec":{"replicas":%d}}`, n)); err != nil {
		return err
	}
	return s.settled(ctx, n)
}

// settled waits until there are n replicas, all of them ready and of the newest
// template, and nothing is left of others.
func (s *scaler) settled(ctx context.Context, n int) error {
	return wait.Within(ctx, soon, fmt.Sprintf("%d replicas of the scaler", n), func(ctx context.Context) error {
		d, err := s.c.client.AppsV1().Deployments(s.chart.namespace).Get(ctx, releaseName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if status := d.Status; status.ObservedGeneration < d.Generation || int(status.UpdatedReplicas) != n || int(status.Replicas) != n {
			return fmt.Errorf("its Deployment has %+v", status)
		}
		list, err := s.c.client.CoreV1().Pods(s.chart.namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return err
		}
		if len(list.Items) != n {
			return fmt.Errorf("%d pods, want %d", len(list.Items), n)
		}
		return ready(ctx, s.c.client, s.chart.namespace, selector, n)
	})
}

func (s *scaler) patch(ctx context.Context, patch string) error {
	_, err := s.c.client.AppsV1().Deployments(s.chart.namespace).
		Patch(ctx, releaseName, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: cluster.Manager})
	return err
}

// Kill ends one of them at once.
func (s *scaler) Kill(ctx context.Context, replica int) error {
	pod, err := s.pod(ctx, replica)
	if err != nil {
		return err
	}
	return s.c.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(0))})
}

// pod returns one of the pods.
func (s *scaler) pod(ctx context.Context, replica int) (corev1.Pod, error) {
	all, err := pods(ctx, s.c.client, s.chart.namespace, selector)
	if err != nil {
		return corev1.Pod{}, err
	}
	if replica >= len(all) {
		return corev1.Pod{}, fmt.Errorf("there are %d replicas, and none is number %d", len(all), replica)
	}
	slices.SortFunc(all, func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return all[replica], nil
}

// Roll replaces all of them, as a change of the template does.
func (s *scaler) Roll(ctx context.Context) error {
	d, err := s.c.client.AppsV1().Deployments(s.chart.namespace).Get(ctx, releaseName, metav1.GetOptions{})
	if err != nil {
		return err
	}
	patch := fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"e2e/rolled":"%d"}}}}}`, d.Generation)
	if err := s.patch(ctx, patch); err != nil {
		return err
	}
	return s.settled(ctx, int(*d.Spec.Replicas))
}

// Put is not for here: files are Secrets that the chart mounts.
func (s *scaler) Put(name string, _ []byte) error {
	return fmt.Errorf("%s: %w", name, errors.ErrUnsupported)
}

// Metrics returns what a replica serves under /metrics.
func (s *scaler) Metrics(ctx context.Context, replica int) (string, error) {
	pod, err := s.pod(ctx, replica)
	if err != nil {
		return "", err
	}
	text, err := s.c.client.CoreV1().Pods(pod.Namespace).ProxyGet("http", pod.Name, "8080", "/metrics", nil).DoRaw(ctx)
	return string(text), err
}

// Said returns what the replicas logged that are there.
func (s *scaler) Said(ctx context.Context) string {
	return s.c.logs(ctx, s.chart.namespace, selector, 300, "")
}

// Close uninstalls it.
func (s *scaler) Close(ctx context.Context) error { return s.chart.Uninstall(ctx) }
