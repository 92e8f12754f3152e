package kube

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// TestChanges tells a reader of one change after the other.
func TestChanges(t *testing.T) {
	deployment := newWorkload("Deployment", 3, 3)
	for _, c := range []struct {
		name   string
		change func(api *apiServer)
		want   View
	}{
		{
			name:   "scaled",
			change: func(api *apiServer) { api.put(pathDeployments, newWorkload("Deployment", 5, 4)) },
			want:   seen(func(v *View) { v.Fleet.Spec, v.Fleet.Status = decision.Known(5), decision.Known(4) }),
		},
		{
			name:   "a pod gets unready",
			change: func(api *apiServer) { api.put(pathPods, newPod("worker-1", "worker", "Running", "False")) },
			want:   seen(func(v *View) { v.Fleet.Ready = decision.Known(2) }),
		},
		{
			name:   "a pod comes",
			change: func(api *apiServer) { api.put(pathPods, newPod("worker-9", "worker", "Running", "True")) },
			want:   seen(func(v *View) { v.Fleet.Ready = decision.Known(4) }),
		},
		{
			name:   "a pod goes",
			change: func(api *apiServer) { api.delete(pathPods, "shop/worker-2") },
			want:   seen(func(v *View) { v.Fleet.Ready = decision.Known(2) }),
		},
		{
			name:   "a pod is labelled otherwise",
			change: func(api *apiServer) { api.put(pathPods, newPod("worker-2", "quarantine", "Running", "True")) },
			want:   seen(func(v *View) { v.Fleet.Ready = decision.Known(2) }),
		},
		{
			name:   "a pod changes in no way that matters",
			change: func(api *apiServer) { api.put(pathPods, newPod("worker-2", "worker", "Running", "True")) },
			want:   seen(nil),
		},
		{
			name: "the selector is edited",
			change: func(api *apiServer) {
				api.put(pathPods, newPod("blue-0", "blue", "Running", "True"))
				api.put(pathDeployments, with(deployment, "spec.selector.matchLabels.app", "blue"))
			},
			want: seen(func(v *View) { v.Fleet.Ready = decision.Known(1) }),
		},
		{
			name: "the metric type is edited",
			change: func(api *apiServer) {
				api.put(pathObjects, newScaledObject(external("AverageValue", ours())))
			},
			want: seen(func(v *View) { v.MetricType = decision.AverageValue }),
		},
		{
			name: "the target is edited",
			change: func(api *apiServer) {
				api.put(pathObjects, with(newScaledObject(), "spec.scaleTargetRef.name", "gone"))
			},
			want: seen(func(v *View) {
				v.Target = "deployments.apps/gone"
				v.Fleet.Spec, v.Fleet.Status, v.Fleet.Ready = decision.Count{}, decision.Count{}, decision.Count{}
			}),
		},
		{
			name:   "the target is deleted",
			change: func(api *apiServer) { api.delete(pathDeployments, "shop/worker") },
			want: seen(func(v *View) {
				v.Fleet.Spec, v.Fleet.Status, v.Fleet.Ready = decision.Count{}, decision.Count{}, decision.Count{}
			}),
		},
		{
			name:   "the object is deleted",
			change: func(api *apiServer) { api.delete(pathObjects, "shop/worker") },
			want:   View{Known: true, Fleet: decision.Fleet{Tolerance: defaults()}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPIServer(t)
				api.fleet(3)
				r := api.start(t)
				look(t, r)
				c.change(api)
				synctest.Wait()
				got := look(t, r)
				same(t, "view", c.want, got)
			})
		})
	}
}

// TestPages lists more pods than fit a page, and relists when history is lost.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pods = 1200
		api := newAPIServer(t)
		api.fleet(pods)
		r := api.start(t)
		same(t, "ready", decision.Known(pods), look(t, r).Fleet.Ready)

		// A lost history: the watches end with 410, and everything is listed anew.
		api.drop()
		api.delete(pathPods, "shop/worker-7")
		api.put(pathDeployments, newWorkload("Deployment", 8, 8))
		api.expire()
		elapse(time.Minute)
		got := look(t, r)
		same(t, "ready", decision.Known(pods-1), got.Fleet.Ready)
		same(t, "spec", decision.Known(8), got.Fleet.Spec)

		same(t, "pages", 6, len(api.asked(func(q request) bool {
			return q.verb == "list" && q.resource == "pods" && q.limit == "500"
		})))
		same(t, "streamed lists", 0, len(api.asked(func(q request) bool { return q.streamed })))
	})
}

// TestManyFleets shares one namespace among many fleets.
func TestManyFleets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const fleets, each = 20, 10
		api := newAPIServer(t)
		for f := range fleets {
			name := fmt.Sprint("fleet-", f)
			so := with(newScaledObject(), "metadata.name", name)
			api.put(pathObjects, with(so, "spec.scaleTargetRef.name", name))
			d := with(newWorkload("Deployment", each, each), "metadata.name", name)
			api.put(pathDeployments, with(d, "spec.selector.matchLabels.app", name))
			for p := range each {
				ready := "True"
				if p < f%each {
					ready = "False"
				}
				api.put(pathPods, newPod(fmt.Sprint(name, "-", p), name, "Running", ready))
			}
		}
		r := api.start(t)
		for f := range fleets {
			got := r.Look(t.Context(), "shop", fmt.Sprint("fleet-", f), ours())
			same(t, "ready", decision.Known(each-f%each), got.Fleet.Ready)
		}
	})
}
