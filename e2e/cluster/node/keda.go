package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/cluster/kube"
	"github.com/infra-arch/zmy-scaler/e2e/internal/image"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

const (
	pauseImage    = "e2e.invalid/pause:1"
	kedaNamespace = "keda"
	kedaImages    = "ghcr.io/kedacore/"
)

// images makes the images of pause and KEDA and loads them. Those of KEDA have the
// names that its manifests give them, and the programs where these look for them.
func (n *Node) images(ctx context.Context) error {
	for _, i := range []struct{ ref, program, inside string }{
		{pauseImage, tools.Pause, "pause"},
		{kedaImages + "keda:main", tools.KedaOperator, "keda"},
		{kedaImages + "keda-metrics-apiserver:main", tools.KedaAdapter, "keda-adapter"},
		{kedaImages + "keda-admission-webhooks:main", tools.KedaWebhooks, "keda-admission-webhooks"},
	} {
		archive := n.Path(i.program + ".tar")
		if err := image.Write(archive, i.ref, n.o.Parts.Tools[i.program], i.inside); err != nil {
			return err
		}
		if err := n.LoadImage(ctx, archive); err != nil {
			return err
		}
		if err := os.Remove(archive); err != nil {
			return err
		}
	}
	return nil
}

// LoadImage gives the node an image.
func (n *Node) LoadImage(ctx context.Context, archive string) error {
	return command(ctx, append(n.LoadCommand(), archive))
}

// LoadCommand is a command that loads an image where an archive is added to it.
func (n *Node) LoadCommand() []string { return n.ctr("images", "import") }

// keda installs KEDA from its own manifests and waits until it works. Where they
// would have its images pulled, they are loaded already.
func (n *Node) keda(ctx context.Context) error {
	text, err := n.Kubectl(ctx, "kustomize", filepath.Join(n.o.Parts.KedaConfig, "default"))
	if err != nil {
		return fmt.Errorf("KEDA's manifests: %w\n%s", err, text)
	}
	all, err := cluster.Parse([]byte(strings.ReplaceAll(text, "imagePullPolicy: Always", "imagePullPolicy: IfNotPresent")))
	if err != nil {
		return err
	}
	if err := n.Define(ctx, kedaNamespace, all); err != nil {
		return err
	}
	if err := wait.Within(ctx, 2*kube.Patience, "KEDA's pods", n.kedaAvailable); err != nil {
		return err
	}
	return wait.Within(ctx, kube.Patience, "external metrics", n.External)
}

// kedaAvailable reports whether all of KEDA's Deployments are available.
func (n *Node) kedaAvailable(ctx context.Context) error {
	all, err := n.Client.AppsV1().Deployments(kedaNamespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if len(all.Items) != 3 {
		return fmt.Errorf("KEDA has %d Deployments, want 3", len(all.Items))
	}
	for _, d := range all.Items {
		if !available(d) {
			return fmt.Errorf("%s is not available: %+v", d.Name, d.Status.Conditions)
		}
	}
	return nil
}

func available(d appsv1.Deployment) bool {
	return d.Status.ObservedGeneration == d.Generation && d.Status.AvailableReplicas == *d.Spec.Replicas
}

// connects reports whether an address accepts connections.
func connects(to string) func(context.Context) error {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", to)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
