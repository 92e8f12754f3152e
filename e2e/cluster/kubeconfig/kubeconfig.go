// Package kubeconfig is a cluster that was there before, with KEDA: one in kind, or
// any that a kubeconfig leads to.
package kubeconfig

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
)

// Options say which cluster it is.
type Options struct {
	// File is the kubeconfig; its current context counts.
	File string
	// Load is a command for the shell that gives the nodes the image in the archive
	// that is added to it. It is empty where nodes pull everything.
	Load string
}

// Cluster is such a cluster.
type Cluster struct {
	o      Options
	config *rest.Config
}

var _ cluster.Ground = (*Cluster)(nil)

// Open makes sure that there is KEDA.
func Open(o Options) (*Cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.File)
	if err != nil {
		return nil, fmt.Errorf("the kubeconfig: %w", err)
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, group := range []string{"keda.sh/v1alpha1", "external.metrics.k8s.io/v1beta1"} {
		if _, err := client.ServerResourcesForGroupVersion(group); err != nil {
			errs = append(errs, fmt.Errorf("%s has no %s: is KEDA there? %w", config.Host, group, err))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Cluster{o: o, config: config}, nil
}

// Config gives the access that the kubeconfig gives.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Kubeconfig is the file.
func (c *Cluster) Kubeconfig() string { return c.o.File }

// LoadImage runs the command that gives the nodes an image.
func (c *Cluster) LoadImage(ctx context.Context, archive string) error {
	if c.o.Load == "" {
		return errors.New("there is no command for that")
	}
	out, err := exec.CommandContext(ctx, "sh", "-c", c.o.Load+` "$0"`, archive).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", c.o.Load, archive, err, out)
	}
	return nil
}

// Said returns nothing: nodes elsewhere keep what is logged there.
func (c *Cluster) Said(context.Context, string) string { return "" }

// Close leaves the cluster as it is.
func (c *Cluster) Close(context.Context) error { return nil }
