package kube

import (
	"context"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/proc"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// apiServer starts etcd and the API server.
func (p *Plane) apiServer(ctx context.Context) error {
	const store, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
	etcd, err := p.Run(proc.Program{Name: "etcd", Path: p.o.Tools[tools.Etcd], Args: []string{
		"--data-dir=" + p.Path("etcd"), "--listen-client-urls=" + store, "--advertise-client-urls=" + store,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=default=" + peer,
		// The data need not survive the run.
		"--unsafe-no-fsync", "--log-level=warn",
	}})
	if err != nil {
		return err
	}
	if err := Up(ctx, etcd, "etcd", Answers(store+"/health")); err != nil {
		return err
	}
	file := func(name string) string { return p.Path("pki", name) }
	api, err := p.Run(proc.Program{Name: "kube-apiserver", Path: p.o.Tools[tools.APIServer], Args: append(p.published(),
		"--etcd-servers="+store, "--secure-port=6443", "--service-cluster-ip-range="+Services, "--allow-privileged",
		"--tls-cert-file="+file("apiserver.crt"), "--tls-private-key-file="+file("apiserver.key"), "--client-ca-file="+file("ca.crt"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+file("tokens.crt"), "--service-account-signing-key-file="+file("tokens.key"),
		"--kubelet-client-certificate="+file("admin.crt"), "--kubelet-client-key="+file("admin.key"), "--kubelet-preferred-address-types=InternalIP",
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--requestheader-client-ca-file="+file("front-proxy-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+file("front-proxy-client.crt"), "--proxy-client-key-file="+file("front-proxy-client.key"),
		"--enable-priority-and-fairness=false", "--profiling=false")})
	if err != nil {
		return err
	}
	if err := Up(ctx, api, "the API server", func(ctx context.Context) error {
		if err := p.Client.CoreV1().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error(); err != nil {
			return err
		}
		_, err := p.Client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{})
		return err
	}); err != nil {
		return err
	}
	return p.Objects.ApplyText(ctx, "", cluster.Crews)
}

// published returns where the API server listens and is found.
func (p *Plane) published() []string {
	if p.o.Address == "" {
		// Nobody else looks for it: it need not, and on loopback cannot, publish itself.
		return []string{"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"}
	}
	return []string{"--bind-address=0.0.0.0", "--advertise-address=" + p.o.Address}
}

// controllers starts the controller manager and the scheduler.
func (p *Plane) controllers(ctx context.Context) error {
	file := func(name string) string { return p.Path("pki", name) }
	own := func(user string) []string {
		k := p.Kubeconfig(user)
		return []string{
			"--kubeconfig=" + k, "--authentication-kubeconfig=" + k, "--authorization-kubeconfig=" + k,
			"--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false", "--kube-api-qps=200", "--kube-api-burst=400",
		}
	}
	manager, err := p.Run(proc.Program{Name: "kube-controller-manager", Path: p.o.Tools[tools.ControllerManager], Args: append(own("controller-manager"),
		"--use-service-account-credentials", "--service-account-private-key-file="+file("tokens.key"), "--root-ca-file="+file("ca.crt"),
		"--requestheader-client-ca-file="+file("front-proxy-ca.crt"),
		"--horizontal-pod-autoscaler-sync-period="+p.o.HPASync.String(),
		"--horizontal-pod-autoscaler-downscale-stabilization="+p.o.HPADownscale.String(),
		// On a busy machine heartbeats are late.
		"--node-monitor-grace-period=10m", "--flex-volume-plugin-dir="+p.Path("flex"))})
	if err != nil {
		return err
	}
	scheduler, err := p.Run(proc.Program{Name: "kube-scheduler", Path: p.o.Tools[tools.Scheduler], Args: own("scheduler")})
	if err != nil {
		return err
	}
	return errors.Join(manager.Err(), scheduler.Err(), ctx.Err())
}
