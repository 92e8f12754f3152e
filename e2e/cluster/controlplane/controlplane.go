// Package controlplane is a Kubernetes control plane with KEDA, as processes of
// this machine: what package kube starts, kwok in place of nodes, and KEDA's
// operator, metrics adapter and webhooks. Pods are objects without containers.
//
// It runs in the namespaces of package isolate, where all ports are its own.
package controlplane

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/cluster/kube"
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

// Cluster is a control plane that runs, with KEDA.
type Cluster struct {
	*kube.Plane
	o Options
}

var _ cluster.Cluster = (*Cluster)(nil)

// Start boots a control plane. What was started when an error comes is ended.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{o: o, Plane: kube.New(kube.Options{
		Dir: o.Dir, Tools: o.Tools, HPASync: o.HPASync, HPADownscale: o.HPADownscale, Log: o.Log,
	})}
	err := c.Boot(ctx, append(c.Steps(),
		kube.Step{What: "kwok", Do: c.kwok},
		kube.Step{What: "KEDA's objects", Do: c.kedaObjects},
		kube.Step{What: "KEDA", Do: c.keda},
		kube.Step{What: "the rights of the scaler", Do: c.scalerRights}))
	if err != nil {
		return nil, errors.Join(err, c.Close(context.WithoutCancel(ctx)))
	}
	return c, nil
}

// run starts a program.
func (c *Cluster) run(name, path string, env []string, args ...string) (*proc.Process, error) {
	return c.Run(proc.Program{Name: name, Path: path, Args: args, Env: env})
}

// Said returns what KEDA and the controller manager logged about a namespace.
func (c *Cluster) Said(_ context.Context, namespace string) string {
	return c.Plane.Said(namespace, "keda-operator", "keda-adapter", "keda-webhooks", "kube-controller-manager")
}
