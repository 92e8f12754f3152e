package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/cluster/kube"
	"github.com/infra-arch/zmy-scaler/e2e/internal/proc"
)

// role is what the scaler may do; the manifest that users apply.
const role = "config/deploy/clusterrole.yaml"

// account is the scaler's ServiceAccount in a namespace, with that role.
const account = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: zmy-scaler, namespace: %[1]s}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: zmy-scaler-%[1]s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: zmy-scaler}
subjects: [{kind: ServiceAccount, name: zmy-scaler, namespace: %[1]s}]
`

// scalerRights applies the role.
func (c *Cluster) scalerRights(ctx context.Context) error {
	all, err := cluster.ParseFiles(filepath.Join(c.o.Root, role))
	if err != nil {
		return err
	}
	for _, object := range all {
		if err := c.Objects.Apply(ctx, "", object); err != nil {
			return err
		}
	}
	return nil
}

// scaler is a scaler with its replicas, each at an address of its own.
type scaler struct {
	c         *Cluster
	namespace string
	user      string

	mu    sync.Mutex
	pods  []pod
	count int // of processes so far, to name their logs
}

// pod is a replica.
type pod struct {
	address string
	process *proc.Process // nil before the first start
	ready   bool          // its address is behind the name
}

// Scaler installs the scaler.
func (c *Cluster) Scaler(ctx context.Context, namespace string, o cluster.ScalerOptions) (cluster.Scaler, error) {
	s := &scaler{c: c, namespace: namespace, user: "scaler-" + namespace}
	if err := c.Objects.ApplyText(ctx, namespace, fmt.Sprintf(account, namespace)); err != nil {
		return nil, err
	}
	if err := c.serviceAccount(ctx, namespace, "zmy-scaler", s.user); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.dir(), 0o755); err != nil {
		return nil, err
	}
	config := strings.ReplaceAll(o.Config, cluster.Files, s.dir())
	for name, content := range o.Files {
		if err := s.Put(name, content); err != nil {
			return nil, err
		}
	}
	if err := s.Put("scaler.yaml", []byte(config)); err != nil {
		return nil, err
	}
	for i := range max(1, o.Replicas) {
		s.pods = append(s.pods, pod{address: c.o.Net.Address()})
		if o.Stopped {
			continue
		}
		if err := s.Start(ctx, i); err != nil {
			return nil, errors.Join(fmt.Errorf("%w\n%s", err, s.Said(ctx)), s.Close(context.WithoutCancel(ctx)))
		}
	}
	return s, nil
}

func (s *scaler) dir() string { return s.c.Path("scaler", s.namespace) }

func (s *scaler) host() string { return "zmy-scaler." + s.namespace }

// Address is what stands in triggers.
func (s *scaler) Address() string { return s.host() + ":6000" }

// Put replaces a file beside the configuration.
func (s *scaler) Put(name string, content []byte) error {
	path := filepath.Join(s.dir(), name)
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Start starts a replica and waits until it is ready.
func (s *scaler) Start(ctx context.Context, replica int) error {
	s.mu.Lock()
	s.count++
	name := fmt.Sprintf("zmy-scaler-%s-%d-%d", s.namespace, replica, s.count)
	address := s.pods[replica].address
	s.mu.Unlock()
	process, err := s.c.run(name, s.c.o.Scaler, nil, "serve", "--config="+filepath.Join(s.dir(), "scaler.yaml"),
		"--kubeconfig="+s.c.Kubeconfig(s.user), "--grpc-address="+address+":6000", "--http-address="+address+":8080")
	if err != nil {
		return err
	}
	if err := kube.Up(ctx, process, name, kube.Answers("http://"+address+":8080/readyz")); err != nil {
		return err
	}
	return s.set(replica, pod{address: address, process: process, ready: true})
}

// set replaces what is known of a replica, and with it the addresses of the name.
func (s *scaler) set(replica int, p pod) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pods[replica] = p
	var ready []string
	for _, p := range s.pods {
		if p.ready {
			ready = append(ready, p.address)
		}
	}
	return s.c.o.Net.Name(s.host(), ready...)
}

func (s *scaler) pod(replica int) pod {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pods[replica]
}

// Stop ends a replica in order: its address goes first, as an endpoint does.
func (s *scaler) Stop(ctx context.Context, replica int) error {
	p := s.pod(replica)
	p.ready = false
	if err := s.set(replica, p); err != nil {
		return err
	}
	return p.process.Stop(ctx)
}

// Kill ends a replica at once. Its address stays, since nobody has noticed yet.
func (s *scaler) Kill(_ context.Context, replica int) error { return s.pod(replica).process.Kill() }

// Roll replaces the replicas one by one.
func (s *scaler) Roll(ctx context.Context) error {
	s.mu.Lock()
	n := len(s.pods)
	s.mu.Unlock()
	for i := range n {
		s.mu.Lock()
		s.pods = append(s.pods, pod{address: s.c.o.Net.Address()})
		s.mu.Unlock()
		if err := s.Start(ctx, n); err != nil {
			return err
		}
		if err := s.Stop(ctx, i); err != nil {
			return err
		}
		s.mu.Lock()
		s.pods[i], s.pods = s.pods[n], s.pods[:n]
		s.mu.Unlock()
	}
	return nil
}

// Metrics returns what a replica serves under /metrics.
func (s *scaler) Metrics(ctx context.Context, replica int) (string, error) {
	return fetch(ctx, "http://"+s.pod(replica).address+":8080/metrics")
}

// Said returns what the replicas logged.
func (s *scaler) Said(context.Context) string {
	logs, err := filepath.Glob(s.c.Log("zmy-scaler-" + s.namespace + "-*"))
	if err != nil {
		return err.Error()
	}
	slices.Sort(logs)
	var text strings.Builder
	for _, log := range logs {
		text.WriteString("-- " + filepath.Base(log) + "\n" + kube.Tail(log, 300, ""))
	}
	return text.String()
}

// Close ends the replicas. The names of what was installed are never used again.
func (s *scaler) Close(context.Context) error {
	s.mu.Lock()
	pods := slices.Clone(s.pods)
	s.mu.Unlock()
	errs := []error{s.c.o.Net.Name(s.host())}
	for _, p := range pods {
		if p.process != nil {
			errs = append(errs, p.process.Kill())
		}
	}
	return errors.Join(errs...)
}
