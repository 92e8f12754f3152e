package scenarios

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/infra-arch/zmy-scaler/e2e/incluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// rights asks the API server what the scaler may do: what the chart's list says,
// beyond what everybody may. With that, everything works and nothing is refused.
func rights(t *testing.T, w world) {
	s, ctx := stage.New(t, w.with(incluster.Setup{Values: atOnce}), stage.Options{})
	root, err := tools.Root()
	must(t, err)
	text, err := os.ReadFile(filepath.Join(root, "charts/zmy-scaler/files/rules.yaml"))
	must(t, err)
	var listed []rbacv1.PolicyRule
	must(t, yaml.Unmarshal(text, &listed))
	var want []string
	for _, r := range listed {
		want = append(want, spell(r.APIGroups, r.Resources, r.Verbs)...)
	}
	slices.Sort(want)

	everybody := allowed(ctx, t, w.cluster.Config(), s.Namespace, "nobody-in-particular")
	may := slices.DeleteFunc(allowed(ctx, t, w.cluster.Config(), s.Namespace, "zmy-scaler"),
		func(right string) bool { return slices.Contains(everybody, right) })
	if !slices.Equal(may, want) {
		t.Errorf("the scaler may\n%s\nwant\n%s", strings.Join(may, "\n"), strings.Join(want, "\n"))
	}

	s.Work(2)
	// Everything that it reads: the ScaledObject, the HPA, the target and its pods.
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{Metadata: map[string]string{"replicasQuery": "", "metricType": ""}}}})
	s.Stays(ctx, 5*time.Second)
	s.HPAWants(ctx, 4)
	if said := s.Scaler.Said(ctx); strings.Contains(said, "forbidden") {
		t.Errorf("something was refused:\n%s", said)
	}
}

// allowed returns what a ServiceAccount may do in a namespace.
func allowed(ctx context.Context, t *testing.T, config *rest.Config, namespace, account string) []string {
	t.Helper()
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + namespace + ":" + account,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + namespace, "system:authenticated"},
	}
	client, err := kubernetes.NewForConfig(config)
	must(t, err)
	review, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(ctx, &authorizationv1.SelfSubjectRulesReview{
		Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace},
	}, metav1.CreateOptions{})
	must(t, err)
	if review.Status.Incomplete {
		t.Skipf("this cluster does not tell: %s", review.Status.EvaluationError)
	}
	var all []string
	for _, r := range review.Status.ResourceRules {
		for _, right := range spell(r.APIGroups, r.Resources, r.Verbs) {
			all = append(all, right+strings.Join(r.ResourceNames, ","))
		}
	}
	for _, r := range review.Status.NonResourceRules {
		all = append(all, spell([]string{"-"}, r.NonResourceURLs, r.Verbs)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// spell returns each right that a rule gives.
func spell(groups, resources, verbs []string) []string {
	var all []string
	for _, group := range groups {
		for _, resource := range resources {
			for _, verb := range verbs {
				all = append(all, verb+" "+group+"/"+resource+" ")
			}
		}
	}
	return all
}
