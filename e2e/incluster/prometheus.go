package incluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

const (
	numbersPort    = 9100
	prometheusPort = 9090
	// soon is how long pods may take to be there, or to be gone.
	soon = 2 * time.Minute
)

// prometheus is a Prometheus in a pod, with its exporter in another one.
type prometheus struct {
	*numbers
	c               *Cluster
	namespace, name string
	forget          func()
}

// Prometheus starts a Prometheus with numbers of its own. It loses its data when it
// is stopped.
func (c *Cluster) Prometheus(ctx context.Context, namespace, name string) (cluster.Prometheus, error) {
	if err := c.ensure(ctx, namespace); err != nil {
		return nil, err
	}
	life, forget := context.WithCancel(context.WithoutCancel(ctx))
	p := &prometheus{
		numbers: newNumbers(life, c.client, namespace, name+"-numbers"), c: c, namespace: namespace, name: name, forget: forget,
	}
	if err := p.install(ctx); err != nil {
		err = fmt.Errorf("%w\n%s%s", err, c.Describe(ctx, namespace), c.logs(ctx, namespace, "", 20, ""))
		return nil, errors.Join(err, p.Close(context.WithoutCancel(ctx)))
	}
	return p, nil
}

func (p *prometheus) install(ctx context.Context) error {
	config := &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: p.name},
		Data:       map[string]string{"prometheus.yml": cluster.Scrapes(fmt.Sprintf("%s-numbers.%s.svc:%d", p.name, p.namespace, numbersPort))},
	}
	objects := []any{config}
	for _, s := range p.servers() {
		objects = append(objects, s.deployment(), s.service())
	}
	for _, o := range objects {
		if err := p.c.apply(ctx, p.namespace, o); err != nil {
			return err
		}
	}
	for _, s := range p.servers() {
		if err := p.waitFor(ctx, s.name, 1); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	// A Service leads somewhere a moment after its pod is ready.
	return wait.Within(ctx, soon, "the exporter to take numbers", p.put)
}

// servers returns the exporter and Prometheus itself.
func (p *prometheus) servers() []server {
	return []server{
		{name: p.name + "-numbers", image: p.c.o.Kit.Actor.Name, args: []string{fmt.Sprintf("-listen=:%d", numbersPort)}, port: numbersPort, ready: "/ready"},
		{
			name: p.name, image: p.c.o.Kit.Prometheus.Name,
			args: []string{"--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/data", "--log.level=warn"},
			port: prometheusPort, ready: "/-/ready",
			volumes: map[string]corev1.VolumeSource{
				"/etc/prometheus": {ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: p.name}}},
				"/data":           {EmptyDir: &corev1.EmptyDirVolumeSource{}},
			},
		},
	}
}

// URL is where the scaler reaches it.
func (p *prometheus) URL() string {
	return fmt.Sprintf("http://%s.%s.svc:%d", p.name, p.namespace, prometheusPort)
}

// Requests returns how many queries it has answered since it was started.
func (p *prometheus) Requests(ctx context.Context) (float64, error) {
	text, err := p.c.client.CoreV1().Services(p.namespace).
		ProxyGet("http", p.name, strconv.Itoa(prometheusPort), "/metrics", nil).DoRaw(ctx)
	if err != nil {
		return 0, err
	}
	return cluster.Queries(string(text))
}

// Stop ends it in order.
func (p *prometheus) Stop(ctx context.Context) error { return p.scale(ctx, 0) }

// Start runs it again.
func (p *prometheus) Start(ctx context.Context) error { return p.scale(ctx, 1) }

func (p *prometheus) scale(ctx context.Context, n int) error {
	_, err := p.c.client.AppsV1().Deployments(p.namespace).
		Patch(ctx, p.name, types.MergePatchType, fmt.Appendf(nil, `{"spec":{"replicas":%d}}`, n), metav1.PatchOptions{FieldManager: cluster.Manager})
	if err != nil {
		return err
	}
	return p.waitFor(ctx, p.name, n)
}

func (p *prometheus) waitFor(ctx context.Context, name string, n int) error {
	return wait.Within(ctx, soon, fmt.Sprintf("%d of %s", n, name), func(ctx context.Context) error {
		return ready(ctx, p.c.client, p.namespace, "app="+name, n)
	})
}

// Close removes it.
func (p *prometheus) Close(ctx context.Context) error {
	p.forget()
	errs := []error{ignoreMissing(p.c.client.CoreV1().ConfigMaps(p.namespace).Delete(ctx, p.name, metav1.DeleteOptions{}))}
	for _, s := range p.servers() {
		errs = append(errs,
			ignoreMissing(p.c.client.AppsV1().Deployments(p.namespace).Delete(ctx, s.name, metav1.DeleteOptions{})),
			ignoreMissing(p.c.client.CoreV1().Services(p.namespace).Delete(ctx, s.name, metav1.DeleteOptions{})))
	}
	return errors.Join(errs...)
}

func ignoreMissing(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
