// Package node is a Kubernetes node with KEDA, on this machine: beside what package
// kube starts, containerd, the kubelet, kube-proxy and CoreDNS as processes, and
// KEDA from its own manifests as pods. Pods run.
//
// It runs in the namespaces of package isolate and needs root.
package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/cluster/kube"
)

// Options say what to run.
type Options struct {
	// Dir is the directory for everything that is written.
	Dir string
	// Parts are what it is made of.
	Parts Parts
	// HPASync is how often HPAs are looked at, HPADownscale how long a lower
	// recommendation must have been the highest.
	HPASync, HPADownscale time.Duration
	// Log gets the progress.
	Log io.Writer
}

// Node is a node that runs.
type Node struct {
	*kube.Plane
	o      Options
	joined bool // the kubelet was started
}

var _ cluster.Ground = (*Node)(nil)

// Boot boots a node, within an inner run of package isolate. What was started when
// an error comes is ended.
func Boot(ctx context.Context, o Options) (*Node, error) {
	n := &Node{o: o, Plane: kube.New(kube.Options{
		Dir: o.Dir, Tools: o.Parts.Tools, Address: address, HPASync: o.HPASync, HPADownscale: o.HPADownscale, Log: o.Log,
	})}
	steps := append([]kube.Step{{What: "mounts and the network", Do: n.ground}}, n.Steps()...)
	err := n.Plane.Boot(ctx, append(steps,
		kube.Step{What: "containerd", Do: n.containerd},
		kube.Step{What: "images", Do: n.images},
		kube.Step{What: "the kubelet", Do: n.kubelet},
		kube.Step{What: "kube-proxy and CoreDNS", Do: n.services},
		kube.Step{What: "KEDA", Do: n.keda}))
	if err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("%w\n%s%s", err, n.podLogs(), n.Show(ctx, "describe nodes", "get pods -A -o wide", "get events -A --sort-by=.lastTimestamp"))
		}
		return nil, errors.Join(err, n.Close(context.WithoutCancel(ctx)))
	}
	return n, nil
}

// Kubeconfig is the file with an administrator's access.
func (n *Node) Kubeconfig() string { return n.Plane.Kubeconfig(kube.Admin) }

// Said returns what the programs below the pods logged about a namespace.
func (n *Node) Said(_ context.Context, namespace string) string {
	return n.Plane.Said(namespace, "kube-controller-manager", "kube-scheduler", "kubelet", "containerd")
}
