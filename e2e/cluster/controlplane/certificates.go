package controlplane

import (
	"context"
	"os"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/pki"
)

// server is where the API server listens.
const server = "https://127.0.0.1:6443"

// kedaNames are the names that KEDA's parts are called by.
func kedaNames() []string {
	return []string{
		"localhost", "127.0.0.1", "keda-operator.keda.svc", "keda-metrics-apiserver.keda.svc", "keda-admission-webhooks.keda.svc",
	}
}

// certificates makes all certificates, keys and kubeconfigs.
func (c *Cluster) certificates(context.Context) error {
	if err := c.directories(); err != nil {
		return err
	}
	ca, err := c.authority("ca")
	if err != nil {
		return err
	}
	front, err := c.authority("front-proxy-ca")
	if err != nil {
		return err
	}
	keda, err := c.authority("keda/ca")
	if err != nil {
		return err
	}
	for _, p := range []struct {
		authority *pki.Authority
		file      string
		subject   pki.Subject
	}{
		{ca, "apiserver", pki.Subject{Name: "kube-apiserver", Names: []string{
			"localhost", "127.0.0.1", "10.96.0.1", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		}}},
		{front, "front-proxy-client", pki.Subject{Name: "front-proxy-client"}},
		{ca, "admin", pki.Subject{Name: "e2e-admin", Group: "system:masters"}},
		{ca, "controller-manager", pki.Subject{Name: "system:kube-controller-manager"}},
		{ca, "scheduler", pki.Subject{Name: "system:kube-scheduler"}},
		{ca, "kwok", pki.Subject{Name: "kwok", Group: "system:masters"}},
		{keda, "keda/tls", pki.Subject{Name: "keda", Names: kedaNames()}},
	} {
		pair, err := p.authority.Issue(p.subject)
		if err != nil {
			return err
		}
		if err := pair.Write(c.path("pki"), p.file); err != nil {
			return err
		}
	}
	private, public, err := pki.Signer()
	if err != nil {
		return err
	}
	if err := (pki.Pair{Cert: public, Key: private}).Write(c.path("pki"), "tokens"); err != nil {
		return err
	}
	for _, user := range []string{"admin", "controller-manager", "scheduler", "kwok"} {
		if err := c.kubeconfig(user, &api.AuthInfo{ClientCertificate: c.path("pki", user+".crt"), ClientKey: c.path("pki", user+".key")}); err != nil {
			return err
		}
	}
	return c.clients()
}

// authority makes an authority and writes its certificate.
func (c *Cluster) authority(name string) (*pki.Authority, error) {
	a, err := pki.New(name)
	if err != nil {
		return nil, err
	}
	return a, os.WriteFile(c.path("pki", name+".crt"), a.PEM, 0o644)
}

// kubeconfig writes the kubeconfig of a user.
func (c *Cluster) kubeconfig(user string, auth *api.AuthInfo) error {
	config := api.NewConfig()
	config.Clusters["e2e"] = &api.Cluster{Server: server, CertificateAuthority: c.path("pki/ca.crt")}
	config.AuthInfos[user] = auth
	config.Contexts["e2e"] = &api.Context{Cluster: "e2e", AuthInfo: user}
	config.CurrentContext = "e2e"
	return clientcmd.WriteToFile(*config, c.kubeconfigOf(user))
}

func (c *Cluster) kubeconfigOf(user string) string { return c.path("pki", user+".kubeconfig") }

// clients makes the administrator's clients.
func (c *Cluster) clients() error {
	var err error
	if c.admin, err = clientcmd.BuildConfigFromFlags("", c.kubeconfigOf("admin")); err != nil {
		return err
	}
	c.admin.QPS, c.admin.Burst = 500, 1000
	c.admin.WarningHandler = rest.NoWarnings{}
	if c.client, err = kubernetes.NewForConfig(c.admin); err != nil {
		return err
	}
	c.objects, err = cluster.NewObjects(c.admin)
	return err
}
