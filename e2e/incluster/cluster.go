// Package incluster puts everything that a scenario needs on a cluster whose pods
// really run: a Prometheus with numbers that the test sets, workers, and the scaler
// by its chart. It does so through the API server alone, so that the cluster may be
// anywhere.
package incluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// Options say what to put where.
type Options struct {
	// Ground is the cluster.
	Ground cluster.Ground
	// Kit is what is put on it.
	Kit Kit
	// Dir is a directory for files.
	Dir string
	// Keda is the namespace of KEDA.
	Keda string
	// Log gets the progress.
	Log io.Writer
}

// Cluster is a cluster on which everything runs in pods.
type Cluster struct {
	o       Options
	client  kubernetes.Interface
	objects *cluster.Objects
	setup   Setup
	shared  *shared
}

// shared is what all copies of a Cluster have in common.
type shared struct {
	stop func() // the dresser

	mu         sync.Mutex
	namespaces map[string]bool  // that go with the cluster
	installed  map[string]Chart // by namespace
	files      int              // so far, to name them
}

var _ cluster.Cluster = (*Cluster)(nil)

// New prepares a cluster: it loads the images, defines the custom kind and begins
// to dress workers.
func New(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{o: o, shared: &shared{stop: func() {}, namespaces: map[string]bool{}, installed: map[string]Chart{}}}
	var err error
	if c.client, err = kubernetes.NewForConfig(c.Config()); err != nil {
		return nil, err
	}
	if c.objects, err = cluster.NewObjects(c.Config()); err != nil {
		return nil, err
	}
	for _, image := range o.Kit.Images() {
		if image.Archive == "" {
			continue
		}
		fmt.Fprintf(o.Log, "load %s\n", image.Name)
		if err := o.Ground.LoadImage(ctx, image.Archive); err != nil {
			return nil, fmt.Errorf("load %s: %w", image.Name, err)
		}
	}
	if err := c.objects.ApplyText(ctx, "", cluster.Crews); err != nil {
		return nil, err
	}
	dressing, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.shared.stop = stop
	if err := c.dress(dressing); err != nil {
		return nil, errors.Join(err, c.Close(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// Config gives an administrator's access. Scenarios side by side ask more than the
// few requests a second that are allowed where nothing is said.
func (c *Cluster) Config() *rest.Config {
	config := c.o.Ground.Config()
	config.QPS, config.Burst = 100, 200
	// Old kinds are listed with all others, and polling is quick on purpose.
	config.WarningHandler = rest.NoWarnings{}
	return config
}

// Kit is what is put on it.
func (c *Cluster) Kit() Kit { return c.o.Kit }

// Keda is the namespace of KEDA.
func (c *Cluster) Keda() string { return c.o.Keda }

// Close removes what was put on the cluster, and then closes it.
func (c *Cluster) Close(ctx context.Context) error {
	c.shared.stop()
	c.shared.mu.Lock()
	namespaces, installed := maps.Clone(c.shared.namespaces), maps.Clone(c.shared.installed)
	c.shared.mu.Unlock()
	var errs []error
	for _, chart := range installed { // by scenarios that were interrupted
		errs = append(errs, chart.Uninstall(ctx))
	}
	for n := range namespaces {
		errs = append(errs, ignoreMissing(c.client.CoreV1().Namespaces().Delete(ctx, n, metav1.DeleteOptions{})))
	}
	errs = append(errs, c.objects.DeleteText(ctx, "", cluster.Crews))
	return errors.Join(append(errs, c.o.Ground.Close(ctx))...)
}

// Namespace makes a namespace with a generated name and with labels. It goes with
// the cluster.
func (c *Cluster) Namespace(ctx context.Context, prefix string, labels map[string]string) (string, error) {
	made, err := c.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: prefix, Labels: labels},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	c.goes(made.Name)
	// What every namespace has comes a moment later.
	return made.Name, wait.Within(ctx, soon, "what every namespace has", func(ctx context.Context) error {
		_, err := c.client.CoreV1().ServiceAccounts(made.Name).Get(ctx, "default", metav1.GetOptions{})
		_, err2 := c.client.CoreV1().ConfigMaps(made.Name).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return errors.Join(err, err2)
	})
}

// goes notes that a namespace goes with the cluster.
func (c *Cluster) goes(namespace string) {
	c.shared.mu.Lock()
	defer c.shared.mu.Unlock()
	c.shared.namespaces[namespace] = true
}

// ensure makes a namespace that is not there yet. It goes with the cluster.
func (c *Cluster) ensure(ctx context.Context, name string) error {
	_, err := c.client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		return nil
	}
	if err := c.objects.ApplyText(ctx, "", "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+name+"}\n"); err != nil {
		return err
	}
	c.goes(name)
	return nil
}
