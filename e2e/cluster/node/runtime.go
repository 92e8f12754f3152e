package node

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"

	"golang.org/x/sys/unix"

	"github.com/infra-arch/zmy-scaler/e2e/cluster/kube"
	"github.com/infra-arch/zmy-scaler/e2e/internal/pki"
	"github.com/infra-arch/zmy-scaler/e2e/internal/proc"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// files are the configurations of the node's programs.
//
//go:embed files
var files embed.FS

// text returns one of the files for this node.
func (n *Node) text(file string) (string, error) {
	t, err := template.New(file).Option("missingkey=error").ParseFS(files, "files/"+file)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, map[string]string{
		"Dir": n.o.Dir, "Packages": n.o.Parts.Packages, "Pause": pauseImage,
		"Name": name, "Address": address, "Pods": pods, "DNS": dns,
	})
	return b.String(), err
}

// configure writes one of the files to a place below the node's directory.
func (n *Node) configure(file, to string) (string, error) {
	text, err := n.text(file)
	if err != nil {
		return "", err
	}
	path := n.Path(to)
	return path, errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644))
}

// env has programs find those of the packages, and their libraries.
func (n *Node) env() []string {
	p := n.o.Parts.Packages
	return []string{
		"PATH=" + p + "/usr/sbin:" + p + "/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LD_LIBRARY_PATH=" + p + "/usr/lib/x86_64-linux-gnu",
	}
}

// containerd starts containerd. To it and the kubelet the node's control groups are
// the roots of all.
func (n *Node) containerd(ctx context.Context) error {
	if _, err := n.configure("cni.conflist", "cni/10-e2e.conflist"); err != nil {
		return err
	}
	config, err := n.configure("containerd.toml", "containerd.toml")
	if err != nil {
		return err
	}
	p, err := n.Run(proc.Program{
		Name: "containerd", Path: n.o.Parts.Packages + "/usr/bin/containerd", Args: []string{"--config", config},
		Env: n.env(), Namespaces: unix.CLONE_NEWCGROUP,
	})
	if err != nil {
		return err
	}
	return kube.Up(ctx, p, "containerd", func(ctx context.Context) error { return command(ctx, n.ctr("version")) })
}

// ctr returns a command of containerd's own client.
func (n *Node) ctr(args ...string) []string {
	return append([]string{n.o.Parts.Packages + "/usr/bin/ctr", "--namespace=k8s.io"}, args...)
}

// command runs a command.
func command(ctx context.Context, args []string) error {
	out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// kubelet starts the kubelet and waits until the node is ready.
func (n *Node) kubelet(ctx context.Context) error {
	if err := n.User("kubelet", pki.Subject{Name: "system:node:" + name, Group: "system:nodes", Names: []string{name, address}}); err != nil {
		return err
	}
	config, err := n.configure("kubelet.yaml", "kubelet.yaml")
	if err != nil {
		return err
	}
	p, err := n.Run(proc.Program{
		Name: "kubelet", Path: n.o.Parts.Tools[tools.Kubelet], Env: n.env(), Namespaces: unix.CLONE_NEWCGROUP,
		Args: []string{
			"--config=" + config, "--kubeconfig=" + n.Plane.Kubeconfig("kubelet"), "--root-dir=" + n.Path("kubelet"),
			"--cert-dir=" + n.Path("kubelet/pki"), "--hostname-override=" + name, "--node-ip=" + address,
		},
	})
	if err != nil {
		return err
	}
	n.joined = true
	return errors.Join(n.NodeReady(ctx, name), p.Err())
}

// services starts what makes Services work: kube-proxy for their addresses, CoreDNS
// for their names.
func (n *Node) services(ctx context.Context) error {
	if err := errors.Join(
		n.User("kube-proxy", pki.Subject{Name: "system:kube-proxy"}),
		// Its usual rights are in a manifest of its own; it only reads.
		n.User("coredns", pki.Subject{Name: "coredns", Group: "system:masters"}),
	); err != nil {
		return err
	}
	config, err := n.configure("kube-proxy.yaml", "kube-proxy.yaml")
	if err != nil {
		return err
	}
	proxy, err := n.Run(proc.Program{Name: "kube-proxy", Path: n.o.Parts.Tools[tools.KubeProxy], Env: n.env(), Args: []string{"--config=" + config}})
	if err != nil {
		return err
	}
	if config, err = n.configure("Corefile", "Corefile"); err != nil {
		return err
	}
	names, err := n.Run(proc.Program{Name: "coredns", Path: n.o.Parts.Tools[tools.CoreDNS], Args: []string{"-conf=" + config}})
	if err != nil {
		return err
	}
	text, err := n.text("dns.yaml")
	if err != nil {
		return err
	}
	if err := n.Objects.ApplyText(ctx, "kube-system", text); err != nil {
		return err
	}
	if err := kube.Up(ctx, proxy, "the addresses of Services", connects(kube.Server+":443")); err != nil {
		return err
	}
	return kube.Up(ctx, names, "the names of Services", connects("kubernetes.default:443"))
}
