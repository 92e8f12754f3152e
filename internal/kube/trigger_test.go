package kube

import (
	"maps"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// plus returns metadata with more keys.
func plus(metadata map[string]string, more map[string]string) map[string]string {
	out := maps.Clone(metadata)
	maps.Copy(out, more)
	return out
}

func TestLookTrigger(t *testing.T) {
	theirs := plus(ours(), map[string]string{"zmyQuery": "other"})
	fromEnv := plus(ours(), map[string]string{"guardQueryFromEnv": "GUARD"})
	average := seen(func(v *View) { v.MetricType = decision.AverageValue })
	accompanied := seen(func(v *View) { v.Fleet.Accompanied = true })
	lost := seen(func(v *View) { v.MetricType, v.MetricTypeKnown = decision.AverageValue, false })
	for _, c := range []struct {
		name     string
		triggers []object
		metadata map[string]string
		want     View
	}{
		{name: "Value", triggers: []object{external("Value", ours())}, want: seen(nil)},
		{name: "AverageValue", triggers: []object{external("AverageValue", ours())}, want: average},
		{name: "no type", triggers: []object{external("", ours())}, want: average},
		{name: "a type of its own", triggers: []object{external("Utilization", ours())}, want: lost},
		{
			name:     "external-push",
			triggers: []object{with(external("Value", ours()), "type", "external-push")},
			want:     seen(nil),
		},
		{
			name:     "of another scaler",
			triggers: []object{with(external("Value", ours()), "type", "prometheus")},
			want:     lost,
		},
		{name: "other metadata", triggers: []object{external("Value", theirs)}, want: lost},
		{
			name:     "more metadata than asked for",
			triggers: []object{external("Value", plus(ours(), map[string]string{"source": "eu"}))},
			want:     lost,
		},
		{
			name:     "two triggers of different types",
			triggers: []object{external("AverageValue", theirs), external("Value", ours())},
			want:     accompanied,
		},
		{
			name:     "beside a trigger of another scaler",
			triggers: []object{external("Value", ours()), {"type": "cpu", "metricType": "Utilization", "metadata": object{"value": "60"}}},
			want:     accompanied,
		},
		{
			name:     "two alike that agree",
			triggers: []object{external("Value", ours()), external("Value", ours())},
			want:     accompanied,
		},
		{
			name:     "two alike that disagree",
			triggers: []object{external("Value", ours()), external("", ours())},
			want: seen(func(v *View) {
				v.MetricType, v.MetricTypeKnown, v.MetricTypeConflict = decision.AverageValue, false, true
				v.Fleet.Accompanied = true
			}),
		},
		{
			name:     "a key that KEDA resolved",
			triggers: []object{external("Value", fromEnv)},
			metadata: plus(ours(), map[string]string{"guardQueryFromEnv": "vector(0)"}),
			want:     seen(nil),
		},
		{name: "a key that KEDA dropped", triggers: []object{external("Value", fromEnv)}, want: seen(nil)},
	} {
		lookCase{
			name:     c.name,
			cluster:  func(api *apiServer) { api.put(pathObjects, newScaledObject(c.triggers...)) },
			metadata: c.metadata,
			want:     c.want,
		}.named(t)
	}
}

func TestTargetOf(t *testing.T) {
	gvkr := func(group, version, kind, resource string) object {
		return object{"group": group, "version": version, "kind": kind, "resource": resource}
	}
	for _, c := range []struct {
		name   string
		ref    object
		status object
		want   schema.GroupVersionResource
	}{
		{name: "defaults", want: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}},
		{
			name: "guessed", ref: object{"apiVersion": "example.com/v1", "kind": "Proxy"},
			want: schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "proxies"},
		},
		{
			name: "told", ref: object{"apiVersion": "example.com/v1", "kind": "Proxy"},
			status: gvkr("example.com", "v1", "Proxy", "proxys"),
			want:   schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "proxys"},
		},
		{
			name: "edited since it was told", ref: object{"kind": "StatefulSet"},
			status: gvkr("apps", "v1", "Deployment", "deployments"),
			want:   schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"},
		},
		{
			name: "core group", ref: object{"apiVersion": "v1", "kind": "ReplicationController"},
			want: schema.GroupVersionResource{Version: "v1", Resource: "replicationcontrollers"},
		},
		{name: "no name of a kind", ref: object{"apiVersion": "example.com/v1", "kind": "../other/Proxy"}},
		{name: "no name of a version", ref: object{"apiVersion": "example.com/..", "kind": "Proxy"}},
		{
			name: "no such version", ref: object{"apiVersion": "a/b/c"},
			want: schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			so := newScaledObject()
			if c.ref != nil {
				c.ref["name"] = "worker"
				so = with(so, "spec.scaleTargetRef", c.ref)
			}
			if c.status != nil {
				so = with(so, "status.scaleTargetGVKR", c.status)
			}
			e := stripScaledObject(&unstructured.Unstructured{Object: clone(so)})
			same(t, "target", c.want, e.value.target)
		})
	}
}
