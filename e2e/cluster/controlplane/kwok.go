package controlplane

import (
	"context"
	_ "embed" // the manifests
	"os"

	"github.com/infra-arch/zmy-scaler/e2e/internal/pki"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// stages tells kwok what becomes of nodes and pods.
//
//go:embed manifests/stages.yaml
var stages []byte

// nodeName is the node that all pods are on, in name; node defines it.
const nodeName = "fake-0"

//go:embed manifests/node.yaml
var node string

// kwok starts kwok, which plays the kubelet, and adds the node.
func (c *Cluster) kwok(ctx context.Context) error {
	if err := c.User("kwok", pki.Subject{Name: "kwok", Group: "system:masters"}); err != nil {
		return err
	}
	file := c.Path("stages.yaml")
	if err := os.WriteFile(file, stages, 0o644); err != nil {
		return err
	}
	if _, err := c.run("kwok", c.o.Tools[tools.Kwok], nil,
		"--kubeconfig="+c.Kubeconfig("kwok"), "--config="+file,
		"--manage-all-nodes=false", "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
		"--cidr=10.244.0.0/16", "--node-ip=127.0.0.1", "--server-address=127.0.0.1:10247", "--node-lease-duration-seconds=40"); err != nil {
		return err
	}
	return c.Objects.ApplyText(ctx, "", node)
}
