package controlplane

import (
	"context"
	"errors"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/proc"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// patience is how long one part may take to come up on a busy machine.
const patience = 90 * time.Second

// apiServer starts etcd and the API server.
func (c *Cluster) apiServer(ctx context.Context) error {
	const store, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
	etcd, err := c.run("etcd", c.o.Tools[tools.Etcd], nil,
		"--data-dir="+c.path("etcd"), "--listen-client-urls="+store, "--advertise-client-urls="+store,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer, "--initial-cluster=default="+peer,
		// The data need not survive the run.
		"--unsafe-no-fsync", "--log-level=warn")
	if err != nil {
		return err
	}
	if err := c.up(ctx, etcd, "etcd", answers(store+"/health")); err != nil {
		return err
	}
	p := func(name string) string { return c.path("pki", name) }
	api, err := c.run("kube-apiserver", c.o.Tools[tools.APIServer], nil,
		"--etcd-servers="+store, "--bind-address=127.0.0.1", "--secure-port=6443",
		// Nobody else looks for it: it need not, and on loopback cannot, publish itself.
		"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16",
		"--tls-cert-file="+p("apiserver.crt"), "--tls-private-key-file="+p("apiserver.key"), "--client-ca-file="+p("ca.crt"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+p("tokens.crt"), "--service-account-signing-key-file="+p("tokens.key"),
		"--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
		"--requestheader-client-ca-file="+p("front-proxy-ca.crt"), "--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file="+p("front-proxy-client.crt"), "--proxy-client-key-file="+p("front-proxy-client.key"),
		"--enable-priority-and-fairness=false", "--profiling=false")
	if err != nil {
		return err
	}
	if err := c.up(ctx, api, "the API server", func(ctx context.Context) error {
		if err := c.client.CoreV1().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error(); err != nil {
			return err
		}
		_, err := c.client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceDefault, metav1.GetOptions{})
		return err
	}); err != nil {
		return err
	}
	return c.objects.ApplyText(ctx, "", cluster.Crews)
}

// controllers starts the controller manager, the scheduler and kwok with a node.
func (c *Cluster) controllers(ctx context.Context) error {
	p := func(name string) string { return c.path("pki", name) }
	own := func(user string) []string {
		k := c.kubeconfigOf(user)
		return []string{
			"--kubeconfig=" + k, "--authentication-kubeconfig=" + k, "--authorization-kubeconfig=" + k,
			"--bind-address=127.0.0.1", "--leader-elect=false", "--profiling=false",
		}
	}
	manager, err := c.run("kube-controller-manager", c.o.Tools[tools.ControllerManager], nil, append(own("controller-manager"),
		"--use-service-account-credentials", "--service-account-private-key-file="+p("tokens.key"), "--root-ca-file="+p("ca.crt"),
		"--requestheader-client-ca-file="+p("front-proxy-ca.crt"),
		"--horizontal-pod-autoscaler-sync-period="+c.o.HPASync.String(),
		"--horizontal-pod-autoscaler-downscale-stabilization="+c.o.HPADownscale.String(),
		// On a busy machine heartbeats are late.
		"--node-monitor-grace-period=10m", "--flex-volume-plugin-dir="+c.path("flex"), "--kube-api-qps=200", "--kube-api-burst=400")...)
	if err != nil {
		return err
	}
	scheduler, err := c.run("kube-scheduler", c.o.Tools[tools.Scheduler], nil, append(own("scheduler"), "--kube-api-qps=200", "--kube-api-burst=400")...)
	if err != nil {
		return err
	}
	if err := c.kwok(); err != nil {
		return err
	}
	return errors.Join(manager.Err(), scheduler.Err(), ctx.Err())
}

// up waits until a program works, and says so early when it has ended.
func (c *Cluster) up(ctx context.Context, p *proc.Process, what string, works func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	return wait.Within(ctx, patience, what, func(ctx context.Context) error {
		if err := p.Err(); err != nil {
			cancel(err)
			return err
		}
		return works(ctx)
	})
}

// answers reports whether a URL answers with 200.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		if err := response.Body.Close(); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return errors.New(url + ": " + response.Status)
		}
		return nil
	}
}
