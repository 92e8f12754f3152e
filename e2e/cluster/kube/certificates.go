package kube

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

// server is where the API server listens for programs of this machine.
const server = "https://127.0.0.1:6443"

// Admin is the user whose kubeconfig has all rights.
const Admin = "admin"

// certificates makes the certificates, keys and kubeconfigs of the control plane.
func (p *Plane) certificates(context.Context) error {
	if err := p.directories(); err != nil {
		return err
	}
	var err error
	if p.ca, err = p.Authority("ca"); err != nil {
		return err
	}
	front, err := p.Authority("front-proxy-ca")
	if err != nil {
		return err
	}
	names := []string{"localhost", "127.0.0.1", Server, "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	if p.o.Address != "" {
		names = append(names, p.o.Address)
	}
	if err := p.Issue(p.ca, "apiserver", pki.Subject{Name: "kube-apiserver", Names: names}); err != nil {
		return err
	}
	if err := p.Issue(front, "front-proxy-client", pki.Subject{Name: "front-proxy-client"}); err != nil {
		return err
	}
	private, public, err := pki.Signer()
	if err != nil {
		return err
	}
	if err := (pki.Pair{Cert: public, Key: private}).Write(p.Path("pki"), "tokens"); err != nil {
		return err
	}
	for file, subject := range map[string]pki.Subject{
		Admin:                {Name: "e2e-admin", Group: "system:masters"},
		"controller-manager": {Name: "system:kube-controller-manager"},
		"scheduler":          {Name: "system:kube-scheduler"},
	} {
		if err := p.User(file, subject); err != nil {
			return err
		}
	}
	return p.clients()
}

// Authority makes an authority and writes its certificate.
func (p *Plane) Authority(name string) (*pki.Authority, error) {
	a, err := pki.New(name)
	if err != nil {
		return nil, err
	}
	return a, os.WriteFile(p.Path("pki", name+".crt"), a.PEM, 0o644)
}

// Issue writes a certificate that an authority signs, with its key.
func (p *Plane) Issue(a *pki.Authority, file string, s pki.Subject) error {
	pair, err := a.Issue(s)
	if err != nil {
		return err
	}
	return pair.Write(p.Path("pki"), file)
}

// User writes a certificate that the API server knows a user by, and a kubeconfig
// with it.
func (p *Plane) User(file string, s pki.Subject) error {
	if err := p.Issue(p.ca, file, s); err != nil {
		return err
	}
	return p.WriteKubeconfig(file, &api.AuthInfo{ClientCertificate: p.Path("pki", file+".crt"), ClientKey: p.Path("pki", file+".key")})
}

// WriteKubeconfig writes the kubeconfig of a user.
func (p *Plane) WriteKubeconfig(user string, auth *api.AuthInfo) error {
	config := api.NewConfig()
	config.Clusters["e2e"] = &api.Cluster{Server: server, CertificateAuthority: p.Path("pki/ca.crt")}
	config.AuthInfos[user] = auth
	config.Contexts["e2e"] = &api.Context{Cluster: "e2e", AuthInfo: user}
	config.CurrentContext = "e2e"
	return clientcmd.WriteToFile(*config, p.Kubeconfig(user))
}

// Kubeconfig returns where the kubeconfig of a user is.
func (p *Plane) Kubeconfig(user string) string { return p.Path("pki", user+".kubeconfig") }

// clients makes the administrator's clients.
func (p *Plane) clients() error {
	var err error
	if p.admin, err = clientcmd.BuildConfigFromFlags("", p.Kubeconfig(Admin)); err != nil {
		return err
	}
	p.admin.QPS, p.admin.Burst = 500, 1000
	p.admin.WarningHandler = rest.NoWarnings{}
	if p.Client, err = kubernetes.NewForConfig(p.admin); err != nil {
		return err
	}
	p.Objects, err = cluster.NewObjects(p.admin)
	return err
}
