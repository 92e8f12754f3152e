package scenarios

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/incluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// stranger authenticates the scaler, but is nobody to it.
const stranger = `
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {name: stranger}
spec:
  secretTargetRef:
  - {parameter: caCert, name: zmy-scaler-keda-tls, key: ca.crt}
`

// clusterWideTLS has KEDA and the scaler prove who they are, by what the chart makes
// for all namespaces.
func clusterWideTLS(t *testing.T, w world) {
	mutual(t, w, "ClusterTriggerAuthentication", func(string) map[string]any { return nil })
}

// namespacedTLS does the same by what the chart makes for the fleet's namespace.
// There KEDA could also come without a certificate, and would not be let in.
func namespacedTLS(t *testing.T, w world) {
	mutual(t, w, "TriggerAuthentication", func(fleet string) map[string]any { return map[string]any{"namespaces": []any{fleet}} })
}

func mutual(t *testing.T, w world, kind string, more func(fleet string) map[string]any) {
	t.Helper()
	values := func(fleet string) map[string]any {
		authentication := map[string]any{"kind": kind}
		maps.Copy(authentication, more(fleet))
		return map[string]any{
			"tls": map[string]any{"mode": "generated"}, "authentication": authentication, "minReadySeconds": 0,
		}
	}
	s, ctx := stage.New(t, w.with(incluster.Setup{Values: values}), stage.Options{Scaler: cluster.ScalerOptions{Replicas: 2}, Patience: 12 * time.Minute})
	s.Work(2)
	object := func(authentication map[string]any) stage.Object {
		trigger := map[string]any{"type": "external", "metricType": "Value", "metadata": map[string]any{
			"scalerAddress": s.Scaler.Address(), "metricType": "Value", "enableTLS": "true", "scaleDownDelay": "3s",
			"zmyQuery": s.Query("zmy"), "replicasQuery": s.Query("workers"),
		}}
		if authentication != nil {
			trigger["authenticationRef"] = authentication
		}
		return stage.Object{Min: 1, Max: 50, More: map[string]any{"triggers": []any{trigger}}}
	}
	// Not signed by an authority that KEDA knows.
	s.Apply(ctx, object(nil))
	s.Condition(ctx, "Ready", "False")
	if kind == "TriggerAuthentication" {
		s.ApplyText(ctx, stranger)
		s.Apply(ctx, object(map[string]any{"name": "stranger"}))
		s.Stays(ctx, 3*time.Second)
		s.Condition(ctx, "Ready", "False")
	}
	s.Scale(ctx, object(map[string]any{"name": "zmy-scaler", "kind": kind}))
	s.Condition(ctx, "Ready", "True")
	s.Stays(ctx, 5*time.Second)

	where := []string{s.Namespace}
	if kind == "ClusterTriggerAuthentication" {
		where = append(where, w.cluster.Keda())
	}
	certificates := secrets(ctx, t, s, where)
	configured, err := incluster.Values(cluster.ScalerOptions{Replicas: 2, Config: s.Config()})
	must(t, err)
	must(t, w.cluster.Chart(s.Namespace).Upgrade(ctx, w.cluster.Kit().Releases[1], configured, values(s.Namespace)))
	if now := secrets(ctx, t, s, where); now != certificates {
		t.Error("the upgrade has made other certificates")
	}
	// Both replicas were replaced at once, so that KEDA may look for them for a while.
	s.Work(3.2)
	s.Becomes(ctx, 11)
	s.HPAWants(ctx, 11)
	s.Work(0.8)
	s.Becomes(ctx, 2)
	s.HPAWants(ctx, 2)
	s.Went(4, 11, 2)
}

// secrets returns what is in the release's certificates.
func secrets(ctx context.Context, t *testing.T, s *stage.Stage, namespaces []string) string {
	t.Helper()
	var all string
	for _, namespace := range namespaces {
		list, err := s.Client().CoreV1().Secrets(namespace).List(ctx, metav1.ListOptions{LabelSelector: release, FieldSelector: "type=kubernetes.io/tls"})
		must(t, err)
		for _, secret := range list.Items {
			all += fmt.Sprintf("%s/%s %x\n", namespace, secret.Name, secret.Data)
		}
	}
	// The authority and the scaler's own, and one for KEDA.
	if n := strings.Count(all, "\n"); n != 3 {
		t.Fatalf("there are %d secrets with certificates, want 3", n)
	}
	return all
}
