package kube

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// newRollout is an object of a kind of which nothing is known but its scale.
func newRollout(replicas, status int) object {
	return object{
		"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
		"metadata": object{"namespace": "shop", "name": "worker"},
		"spec":     object{"replicas": replicas},
		"status":   object{"replicas": status, "selector": "app=worker"},
	}
}

func (s *apiServer) rollout() {
	s.fleet(3)
	so := with(newScaledObject(), "spec.scaleTargetRef.kind", "Rollout")
	s.put(pathObjects, with(so, "spec.scaleTargetRef.apiVersion", "argoproj.io/v1alpha1"))
	s.put(pathRollouts, newRollout(3, 4))
}

func isScale(q request) bool { return q.resource == "rollouts/scale" }

func TestCustomTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.rollout()
		r := api.start(t)
		got := look(t, r)
		same(t, "view", seen(func(v *View) {
			v.Target = "rollouts.argoproj.io/worker"
			v.Fleet.Status = decision.Known(4)
		}), got)

		// However often it is asked about, it is fetched once per interval.
		for range 100 {
			look(t, r)
		}
		elapse(pollGap)
		before := len(api.asked(isScale))
		elapse(3 * pollEvery)
		same(t, "requests in three intervals", 3, len(api.asked(isScale))-before)

		// A change is seen without waiting for the interval.
		api.put(pathRollouts, newRollout(0, 0))
		elapse(pollGap)
		got = look(t, r)
		same(t, "spec", decision.Known(0), got.Fleet.Spec)
		same(t, "status", decision.Known(0), got.Fleet.Status)

		// Many changes are one request.
		before = len(api.asked(isScale))
		for n := range 10 {
			api.put(pathRollouts, newRollout(n, n))
			synctest.Wait()
		}
		elapse(2 * pollGap)
		if n := len(api.asked(isScale)) - before; n > 2 {
			t.Errorf("%d requests for 10 changes at once", n)
		}
		same(t, "spec", decision.Known(9), look(t, r).Fleet.Spec)

		// A target that is gone has no replicas, not even 0.
		api.delete(pathRollouts, "shop/worker")
		elapse(pollGap)
		same(t, "spec", decision.Count{}, look(t, r).Fleet.Spec)
	})
}

func TestCustomTargetThatMayNotBeWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.rollout()
		api.set(func() { api.refuse["rollouts"] = http.StatusForbidden })
		r := api.start(t)
		same(t, "spec", decision.Known(3), look(t, r).Fleet.Spec)
		api.put(pathRollouts, newRollout(6, 6))
		elapse(pollEvery)
		same(t, "spec", decision.Known(6), look(t, r).Fleet.Spec)

		// Pods are watched all the same, and tell that the scale has changed.
		elapse(2 * pollGap)
		api.put(pathRollouts, newRollout(7, 7))
		api.put(pathPods, newPod("worker-new", "worker", "Pending", "False"))
		synctest.Wait()
		look(t, r)
		elapse(pollGap)
		same(t, "spec after a pod came", decision.Known(7), look(t, r).Fleet.Spec)
		before := len(api.asked(isScale))
		api.put(pathPods, newPod("stranger", "other", "Running", "True"))
		synctest.Wait()
		look(t, r)
		elapse(2 * pollGap)
		same(t, "requests after a pod of others came", 0, len(api.asked(isScale))-before)
	})
}

func TestCustomTargetThatStopsAnswering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.rollout()
		r := api.start(t)
		look(t, r)
		api.set(func() { api.refuse["rollouts/scale"] = http.StatusInternalServerError })
		elapse(time.Minute)
		same(t, "spec after a minute", decision.Known(3), look(t, r).Fleet.Spec)
		elapse(staleAfter)
		got := look(t, r)
		same(t, "spec after three", decision.Count{}, got.Fleet.Spec)
		same(t, "ready after three", decision.Count{}, got.Fleet.Ready)
		api.set(func() { clear(api.refuse) })
		elapse(time.Minute)
		same(t, "spec when it answers again", decision.Known(3), look(t, r).Fleet.Spec)
	})
}

func TestReadScale(t *testing.T) {
	for _, c := range []struct {
		name     string
		object   object
		want     scale
		selector string
	}{
		{
			name:   "complete",
			object: object{"kind": "Scale", "spec": object{"replicas": int64(2)}, "status": object{"replicas": int64(3), "selector": "a=b"}},
			want:   scale{spec: decision.Known(2), status: decision.Known(3)}, selector: "a=b",
		},
		{
			name:   "left out",
			object: object{"kind": "Scale", "spec": object{}, "status": object{}},
			want:   scale{spec: decision.Known(0), status: decision.Known(0)},
		},
		{
			name:   "negative",
			object: object{"kind": "Scale", "spec": object{"replicas": int64(-1)}},
			want:   scale{status: decision.Known(0)},
		},
		{
			name:   "not an object",
			object: object{"kind": "Scale", "spec": "2"},
			want:   scale{status: decision.Known(0)},
		},
		{
			name:   "a selector that is none",
			object: object{"kind": "Scale", "status": object{"selector": "a in ("}},
			want:   scale{spec: decision.Known(0), status: decision.Known(0)},
		},
		{name: "something else", object: object{"kind": "Rollout", "spec": object{"replicas": int64(2)}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := readScale(&unstructured.Unstructured{Object: c.object})
			same(t, "spec", c.want.spec, got.spec)
			same(t, "status", c.want.status, got.status)
			same(t, "selector", c.selector, got.selectorText)
			same(t, "has a selector", c.selector != "", got.selector != nil)
		})
	}
}
