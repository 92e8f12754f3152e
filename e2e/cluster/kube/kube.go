// Package kube is Kubernetes' own control plane, as processes of this machine:
// etcd, the API server, the controller manager with the real HPA, and the
// scheduler. The packages beside it add nodes and KEDA.
package kube

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
	"github.com/infra-arch/zmy-scaler/e2e/internal/pki"
	"github.com/infra-arch/zmy-scaler/e2e/internal/proc"
)

// Services are the addresses of Services, Server is that of the API server's.
const (
	Services = "10.96.0.0/16"
	Server   = "10.96.0.1"
)

// Options say what to run.
type Options struct {
	// Dir is the directory for everything that is written.
	Dir string
	// Tools are the programs by name.
	Tools map[string]string
	// Address is where pods find the API server; empty where nothing runs in them.
	Address string
	// HPASync is how often HPAs are looked at, HPADownscale how long a lower
	// recommendation must have been the highest.
	HPASync, HPADownscale time.Duration
	// Log gets the progress.
	Log io.Writer
}

// Plane is a control plane that runs.
type Plane struct {
	// Client and Objects have an administrator's access.
	Client  kubernetes.Interface
	Objects *cluster.Objects

	o     Options
	admin *rest.Config
	ca    *pki.Authority

	mu      sync.Mutex
	running []*proc.Process // in the order of their start
}

// New returns a control plane of which nothing runs yet.
func New(o Options) *Plane { return &Plane{o: o} }

// Step is a part of a boot.
type Step struct {
	What string
	Do   func(context.Context) error
}

// Steps returns the first parts of every boot.
func (p *Plane) Steps() []Step {
	return []Step{
		{"certificates", p.certificates},
		{"etcd and the API server", p.apiServer},
		{"the controllers", p.controllers},
	}
}

// Boot does steps, one after the other. An error has the end of every log with it,
// unless it is that the context has ended.
func (p *Plane) Boot(ctx context.Context, steps []Step) error {
	began := time.Now()
	for _, s := range steps {
		err := s.Do(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("boot: %s: %w", s.What, context.Cause(ctx))
		}
		if err != nil {
			return fmt.Errorf("boot: %s: %w\n%s", s.What, err, p.tails())
		}
		fmt.Fprintf(p.o.Log, "%6.1f s  %s\n", time.Since(began).Seconds(), s.What)
	}
	return nil
}

// Run starts a program whose output goes to a file of its name.
func (p *Plane) Run(program proc.Program) (*proc.Process, error) {
	program.Log = p.Log(program.Name)
	started, err := proc.Start(program)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, started)
	return started, nil
}

// Path returns a path in the cluster's directory.
func (p *Plane) Path(parts ...string) string {
	return filepath.Join(append([]string{p.o.Dir}, parts...)...)
}

// Log returns the file with a program's output.
func (p *Plane) Log(name string) string { return p.Path("log", name+".log") }

// Config gives an administrator's access.
func (p *Plane) Config() *rest.Config { return rest.CopyConfig(p.admin) }

// Close ends everything, the youngest first.
func (p *Plane) Close(ctx context.Context) error {
	p.mu.Lock()
	running := slices.Clone(p.running)
	p.running = nil
	p.mu.Unlock()
	slices.Reverse(running)
	var all []error
	for _, r := range running {
		if r.Err() == nil {
			// Nothing here keeps what would have to be saved.
			all = append(all, r.Kill())
		}
	}
	return errors.Join(append(all, ctx.Err())...)
}

// directories makes the directories that the programs write to.
func (p *Plane) directories() error {
	for _, d := range []string{"log", "pki", "etcd"} {
		if err := os.MkdirAll(p.Path(d), 0o755); err != nil {
			return err
		}
	}
	return nil
}
