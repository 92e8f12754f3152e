// Package controlplane is a Kubernetes control plane with KEDA, as processes of
// this machine: etcd, the API server, the controller manager with the real HPA, the
// scheduler, kwok in place of nodes, and KEDA's operator, metrics adapter and
// webhooks. Pods are objects without containers.
//
// It runs in the namespaces of package isolate, where all ports are its own.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
	"github.com/infra-arch/zmy-scaler/e2e/internal/proc"
)

// Options say what to run.
type Options struct {
	// Dir is the directory for everything that is written, Root the repository.
	Dir, Root string
	// Tools are the programs by name, Scaler is the scaler.
	Tools  map[string]string
	Scaler string
	// KedaConfig is the folder with KEDA's manifests.
	KedaConfig string
	// Net is where everything listens.
	Net *isolate.Net
	// HPASync is how often HPAs are looked at, HPADownscale how long a lower
	// recommendation must have been the highest.
	HPASync, HPADownscale time.Duration
	// Log gets the progress.
	Log io.Writer
}

// Cluster is a control plane that runs.
type Cluster struct {
	o       Options
	admin   *rest.Config
	client  kubernetes.Interface
	objects *cluster.Objects

	mu      sync.Mutex
	running []*proc.Process // in the order of their start
}

var _ cluster.Cluster = (*Cluster)(nil)

// Start boots a control plane. What was started when an error comes is ended.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{o: o}
	if err := c.boot(ctx); err != nil {
		err = fmt.Errorf("boot the control plane: %w\n%s", err, c.tails())
		return nil, errors.Join(err, c.Close(context.WithoutCancel(ctx)))
	}
	return c, nil
}

func (c *Cluster) boot(ctx context.Context) error {
	began := time.Now()
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"certificates", c.certificates},
		{"etcd and the API server", c.apiServer},
		{"the controllers", c.controllers},
		{"KEDA's objects", c.kedaObjects},
		{"KEDA", c.keda},
		{"the rights of the scaler", c.scalerRights},
	}
	for _, s := range steps {
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		fmt.Fprintf(c.o.Log, "%6.1f s  %s\n", time.Since(began).Seconds(), s.what)
	}
	return nil
}

// run starts a program whose output goes to a file of its name.
func (c *Cluster) run(name, path string, env []string, args ...string) (*proc.Process, error) {
	p, err := proc.Start(proc.Program{Name: name, Path: path, Args: args, Env: env, Log: c.log(name)})
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = append(c.running, p)
	return p, nil
}

// path returns a path in the cluster's directory.
func (c *Cluster) path(parts ...string) string {
	return filepath.Join(append([]string{c.o.Dir}, parts...)...)
}

// log returns the file with a program's output.
func (c *Cluster) log(name string) string { return c.path("log", name+".log") }

// Config gives an administrator's access.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.admin) }

// Close ends everything, the youngest first.
func (c *Cluster) Close(ctx context.Context) error {
	c.mu.Lock()
	running := slices.Clone(c.running)
	c.running = nil
	c.mu.Unlock()
	slices.Reverse(running)
	var all []error
	for _, p := range running {
		if p.Err() == nil {
			// Nothing here keeps what would have to be saved.
			all = append(all, p.Kill())
		}
	}
	return errors.Join(append(all, ctx.Err())...)
}

// directories makes the directories that the programs write to.
func (c *Cluster) directories() error {
	for _, d := range []string{"log", "pki", "pki/keda", "etcd", "scaler"} {
		if err := os.MkdirAll(c.path(d), 0o755); err != nil {
			return err
		}
	}
	return nil
}
