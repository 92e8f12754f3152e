package controlplane

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"

	authv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/cluster/kube"
	"github.com/infra-arch/zmy-scaler/e2e/internal/pki"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

const (
	kedaNamespace = "keda"
	adapterPort   = 6444
	webhooksPort  = 9443
)

// kedaServices lead the API server to KEDA's processes. Endpoints on loopback are
// refused by validation; a Service of type ExternalName has none.
const kedaServices = `
apiVersion: v1
kind: Service
metadata: {name: keda-metrics-apiserver, namespace: keda}
spec: {type: ExternalName, externalName: localhost, ports: [{name: https, port: %[1]d}]}
---
apiVersion: v1
kind: Service
metadata: {name: keda-admission-webhooks, namespace: keda}
spec: {type: ExternalName, externalName: localhost, ports: [{name: https, port: %[2]d}]}
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.external.metrics.k8s.io}
spec:
  service: {name: keda-metrics-apiserver, namespace: keda, port: %[1]d}
  group: external.metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  caBundle: %[3]s
`

// kedaNames are the names that KEDA's parts are called by.
func kedaNames() []string {
	return []string{
		"localhost", "127.0.0.1", "keda-operator.keda.svc", "keda-metrics-apiserver.keda.svc", "keda-admission-webhooks.keda.svc",
	}
}

// kedaObjects applies KEDA's own CRDs and rights, and what leads to its processes.
func (c *Cluster) kedaObjects(ctx context.Context) error {
	at := func(pattern string) string { return filepath.Join(c.o.KedaConfig, pattern) }
	all, err := cluster.ParseFiles(
		at("general/namespace.yaml"), at("crd/bases/*.yaml"), at("service_account/service_account.yaml"),
		at("rbac/role.yaml"), at("rbac/role_binding.yaml"), at("metrics-server/role.yaml"), at("metrics-server/role_binding.yaml"))
	if err != nil {
		return err
	}
	if err := c.Define(ctx, kedaNamespace, all); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Path("pki/keda"), 0o755); err != nil {
		return err
	}
	authority, err := c.Authority("keda/ca")
	if err != nil {
		return err
	}
	if err := c.Issue(authority, "keda/tls", pki.Subject{Name: "keda", Names: kedaNames()}); err != nil {
		return err
	}
	return c.Objects.ApplyText(ctx, kedaNamespace, fmt.Sprintf(kedaServices, adapterPort, webhooksPort, base64.StdEncoding.EncodeToString(authority.PEM)))
}

// keda starts KEDA's three parts, with the rights of its ServiceAccount.
func (c *Cluster) keda(ctx context.Context) error {
	if err := c.serviceAccount(ctx, kedaNamespace, "keda-operator", "keda"); err != nil {
		return err
	}
	k, certs := c.Kubeconfig("keda"), c.Path("pki/keda")
	env := []string{"KUBECONFIG=" + k, "POD_NAMESPACE=" + kedaNamespace, "WATCH_NAMESPACE=", "KEDA_CLUSTER_OBJECT_NAMESPACE=" + kedaNamespace}
	operator, err := c.run("keda-operator", c.o.Tools[tools.KedaOperator], env,
		"--leader-elect=false", "--enable-cert-rotation=false", "--cert-dir="+certs, "--kube-api-qps=200", "--kube-api-burst=400",
		"--metrics-bind-address=127.0.0.1:8080", "--health-probe-bind-address=127.0.0.1:8081", "--metrics-service-bind-address=127.0.0.1:9666",
		"--zap-log-level=info", "--zap-encoder=console", "--zap-time-encoding=rfc3339nano")
	if err != nil {
		return err
	}
	adapter, err := c.run("keda-adapter", c.o.Tools[tools.KedaAdapter], env,
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", adapterPort), "--port=8082", "--metrics-service-address=127.0.0.1:9666",
		"--authentication-kubeconfig="+k, "--authorization-kubeconfig="+k, "--lister-kubeconfig="+k,
		"--client-ca-file="+certs+"/ca.crt", "--tls-cert-file="+certs+"/tls.crt", "--tls-private-key-file="+certs+"/tls.key", "--cert-dir="+certs)
	if err != nil {
		return err
	}
	webhooks, err := c.run("keda-webhooks", c.o.Tools[tools.KedaWebhooks], env,
		"--cert-dir="+certs, fmt.Sprintf("--port=%d", webhooksPort), "--metrics-bind-address=127.0.0.1:8083", "--health-probe-bind-address=127.0.0.1:8084")
	if err != nil {
		return err
	}
	if err := kube.Up(ctx, operator, "KEDA's operator", kube.Answers("http://127.0.0.1:8081/readyz")); err != nil {
		return err
	}
	if err := kube.Up(ctx, webhooks, "KEDA's webhooks", kube.Answers("http://127.0.0.1:8084/readyz")); err != nil {
		return err
	}
	if err := c.kedaWebhooks(ctx); err != nil {
		return err
	}
	if err := kube.Up(ctx, adapter, "external metrics", c.External); err != nil {
		return err
	}
	return c.NodeReady(ctx, nodeName)
}

// kedaWebhooks applies KEDA's admission webhooks, such that an object that they
// cannot look at is refused.
func (c *Cluster) kedaWebhooks(ctx context.Context) error {
	ca, err := os.ReadFile(c.Path("pki/keda/ca.crt"))
	if err != nil {
		return err
	}
	all, err := cluster.ParseFiles(filepath.Join(c.o.KedaConfig, "webhooks/validation_webhooks.yaml"))
	if err != nil {
		return err
	}
	for _, object := range all {
		hooks, _, err := unstructured.NestedSlice(object.Object, "webhooks")
		if err != nil {
			return err
		}
		for _, h := range hooks {
			hook, ok := h.(map[string]any)
			if !ok {
				return fmt.Errorf("a webhook is a %T", h)
			}
			hook["failurePolicy"] = "Fail"
			if err := unstructured.SetNestedField(hook, base64.StdEncoding.EncodeToString(ca), "clientConfig", "caBundle"); err != nil {
				return err
			}
			if err := unstructured.SetNestedField(hook, int64(webhooksPort), "clientConfig", "service", "port"); err != nil {
				return err
			}
		}
		if err := unstructured.SetNestedSlice(object.Object, hooks, "webhooks"); err != nil {
			return err
		}
		if err := c.Objects.Apply(ctx, kedaNamespace, object); err != nil {
			return err
		}
	}
	return nil
}

// serviceAccount writes a kubeconfig that has exactly the rights of a
// ServiceAccount.
func (c *Cluster) serviceAccount(ctx context.Context, namespace, name, user string) error {
	hours := int64(24 * 60 * 60)
	token, err := c.Client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name,
		&authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: &hours}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("a token for %s/%s: %w", namespace, name, err)
	}
	return c.WriteKubeconfig(user, &api.AuthInfo{Token: token.Status.Token})
}
