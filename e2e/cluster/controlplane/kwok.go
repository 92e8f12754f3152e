package controlplane

import (
	"context"
	_ "embed" // the manifests
	"errors"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// stages tells kwok what becomes of nodes and pods.
//
//go:embed manifests/stages.yaml
var stages []byte

// node is the node that all pods are on, in name.
//
//go:embed manifests/node.yaml
var node string

// kwok starts kwok, which plays the kubelet.
func (c *Cluster) kwok() error {
	file := c.path("stages.yaml")
	if err := os.WriteFile(file, stages, 0o644); err != nil {
		return err
	}
	_, err := c.run("kwok", c.o.Tools[tools.Kwok], nil,
		"--kubeconfig="+c.kubeconfigOf("kwok"), "--config="+file,
		"--manage-all-nodes=false", "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
		"--cidr=10.244.0.0/16", "--node-ip=127.0.0.1", "--server-address=127.0.0.1:10247", "--node-lease-duration-seconds=40")
	return err
}

// nodeReady reports whether kwok has made the node ready.
func (c *Cluster) nodeReady(ctx context.Context) error {
	nodes, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, n := range nodes.Items {
		for _, condition := range n.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				return nil
			}
		}
	}
	return errors.Join(errors.New("the node is not ready"), taints(nodes.Items))
}

func taints(nodes []corev1.Node) error {
	for _, n := range nodes {
		if len(n.Spec.Taints) > 0 {
			return fmt.Errorf("node %s has the taints %v", n.Name, n.Spec.Taints)
		}
	}
	return nil
}
