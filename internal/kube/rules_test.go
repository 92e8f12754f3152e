package kube

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// allows tells whether a rule covers a request, by the rules of RBAC.
func (r Rule) allows(verb, group, resource string) bool {
	_, sub, _ := strings.Cut(resource, "/")
	return slices.Contains(r.Verbs, verb) &&
		(slices.Contains(r.Groups, group) || slices.Contains(r.Groups, "*")) &&
		(slices.Contains(r.Resources, resource) || sub != "" && slices.Contains(r.Resources, "*/"+sub))
}

// everything makes a reader do all that it ever does.
func everything(t *testing.T, api *apiServer) {
	t.Helper()
	api.rollout()
	for name, kind := range map[string]string{"d": "Deployment", "s": "StatefulSet", "r": "ReplicaSet"} {
		so := with(newScaledObject(), "metadata.name", name)
		so = with(so, "spec.scaleTargetRef.apiVersion", "apps/v1")
		api.put(pathObjects, with(so, "spec.scaleTargetRef.kind", kind))
	}
	r := api.start(t)
	look(t, r)
	for _, name := range []string{"d", "s", "r", "none"} {
		r.Look(t.Context(), "shop", name, ours())
	}
	api.put(pathRollouts, newRollout(5, 5))
	elapse(time.Minute)
	api.drop()
	elapse(time.Minute)
	r.Forget("shop", "worker")
}

func TestRulesCoverEveryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		everything(t, api)
		rules := append(readingRules(), CustomTargetRule("argoproj.io", "rollouts"))
		for _, q := range api.asked(func(request) bool { return true }) {
			if !slices.ContainsFunc(rules, func(r Rule) bool { return r.allows(q.verb, q.group, q.resource) }) {
				t.Errorf("no rule allows %s %s.%s", q.verb, q.resource, q.group)
			}
		}
		// Nor is anything allowed that is not asked for.
		for _, rule := range rules {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					one := Rule{Groups: rule.Groups, Resources: []string{resource}, Verbs: []string{verb}}
					if len(api.asked(func(q request) bool { return one.allows(q.verb, q.group, q.resource) })) == 0 {
						t.Errorf("%s %s %s is allowed for nothing", verb, rule.Groups, resource)
					}
				}
			}
		}
	})
}

func TestRulesSayWhy(t *testing.T) {
	for _, rule := range append(Rules(), CustomTargetRule("argoproj.io", "rollouts")) {
		if rule.Why == "" {
			t.Errorf("%v does not say why", rule.Resources)
		}
	}
}

// TestPodsAreNotWatchedInVain does without pods where nobody counts them.
func TestPodsAreNotWatchedInVain(t *testing.T) {
	pods := func(q request) bool { return q.resource == "pods" }
	for _, c := range []struct {
		name     string
		kind     string
		metadata map[string]string
		watched  bool
	}{
		{name: "a query counts the workers", kind: "AverageValue", metadata: map[string]string{"replicasQuery": "up"}},
		{name: "a query from the environment does", kind: "AverageValue", metadata: map[string]string{"replicasQueryFromEnv": "up"}},
		{name: "the HPA counts ready pods", kind: "Value", metadata: map[string]string{"replicasQuery": "up"}, watched: true},
		{name: "no query", kind: "AverageValue", watched: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				metadata := plus(ours(), c.metadata)
				api := newAPIServer(t)
				api.fleet(3)
				api.put(pathObjects, newScaledObject(external(c.kind, metadata)))
				r := api.start(t)
				got := r.Look(t.Context(), "shop", "worker", metadata)
				same(t, "ready known", c.watched, got.Fleet.Ready.Known)
				same(t, "spec", decision.Known(3), got.Fleet.Spec)
				same(t, "pods asked for", c.watched, len(api.asked(pods)) > 0)
			})
		})
	}
}

// TestFakeClient runs over the fake of the client library, which differs from
// the server of these tests in what it answers.
func TestFakeClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinds := map[schema.GroupVersionResource]string{
			scaledObjects: "ScaledObjectList", autoscalers: "HorizontalPodAutoscalerList", podResource: "PodList",
			{Group: "apps", Version: "v1", Resource: "deployments"}: "DeploymentList",
		}
		var objects []runtime.Object
		for _, o := range []object{
			newScaledObject(), newWorkload("Deployment", int64(2), 2), newPod("worker-0", "worker", "Running", "True"),
			newHPA("keda-hpa-worker", time.Time{}),
		} {
			u := &unstructured.Unstructured{}
			if err := u.UnmarshalJSON(encode(t, o)); err != nil {
				t.Fatal(err)
			}
			objects = append(objects, u)
		}
		client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, objects...)
		r, err := NewForClient(client, discard(), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		run(t, r)
		got := look(t, r)
		same(t, "view", seen(func(v *View) {
			v.HPA = "keda-hpa-worker"
			v.Fleet.Spec, v.Fleet.Status, v.Fleet.Ready = decision.Known(2), decision.Known(2), decision.Known(1)
		}), got)
		for _, a := range client.Actions() {
			gvr := a.GetResource()
			if !slices.ContainsFunc(Rules(), func(r Rule) bool { return r.allows(a.GetVerb(), gvr.Group, gvr.Resource) }) {
				t.Errorf("no rule allows %s %s", a.GetVerb(), gvr)
			}
		}
	})
}

// TestCustomTargetWithoutItsRule is what a cluster without the optional rule sees.
func TestCustomTargetWithoutItsRule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.rollout()
		api.set(func() { api.refuse["rollouts"] = http.StatusForbidden })
		r := api.start(t)
		got, took := lookFor(t, r, time.Minute)
		same(t, "wait", 0, took)
		same(t, "spec", decision.Known(3), got.Fleet.Spec)
	})
}
