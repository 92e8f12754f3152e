package kube

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// seen is a view of the default fleet of three, changed by a test.
func seen(change func(v *View)) View {
	v := View{
		Found: true, Known: true, UID: "uid-1",
		MetricType: decision.Value, MetricTypeKnown: true,
		Target: "deployments.apps/worker",
		Fleet: decision.Fleet{
			Spec: decision.Known(3), Status: decision.Known(3), Ready: decision.Known(3),
			Max: 100, Tolerance: defaults(),
		},
	}
	if change != nil {
		change(&v)
	}
	return v
}

// lookCase is a cluster and what is to be seen of it.
type lookCase struct {
	name     string
	cluster  func(api *apiServer)
	metadata map[string]string
	want     View
}

func (c lookCase) run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.fleet(3)
		if c.cluster != nil {
			c.cluster(api)
		}
		r := api.start(t)
		metadata := c.metadata
		if metadata == nil {
			metadata = ours()
		}
		got := r.Look(t.Context(), "shop", "worker", metadata)
		same(t, "view", c.want, got)
	})
}

func TestLookTarget(t *testing.T) {
	deployment := newWorkload("Deployment", 3, 3)
	statefulSet := with(newScaledObject(), "spec.scaleTargetRef.kind", "StatefulSet")
	for _, c := range []lookCase{
		{name: "deployment", want: seen(nil)},
		{
			name: "stateful set",
			cluster: func(api *apiServer) {
				api.put(pathObjects, statefulSet)
				api.put(pathStatefulSets, newWorkload("StatefulSet", 4, 4))
			},
			want: seen(func(v *View) {
				v.Target = "statefulsets.apps/worker"
				v.Fleet.Spec, v.Fleet.Status = decision.Known(4), decision.Known(4)
			}),
		},
		{
			name: "replica set by its full name",
			cluster: func(api *apiServer) {
				so := with(newScaledObject(), "spec.scaleTargetRef.kind", "ReplicaSet")
				api.put(pathObjects, with(so, "spec.scaleTargetRef.apiVersion", "apps/v1"))
				api.put("apps/v1/replicasets", newWorkload("ReplicaSet", 2, 2))
			},
			want: seen(func(v *View) {
				v.Target = "replicasets.apps/worker"
				v.Fleet.Spec, v.Fleet.Status = decision.Known(2), decision.Known(2)
			}),
		},
		{
			name:    "no replicas in the spec means one",
			cluster: func(api *apiServer) { api.put(pathDeployments, newWorkload("Deployment", nil, 1)) },
			want: seen(func(v *View) {
				v.Fleet.Spec, v.Fleet.Status = decision.Known(1), decision.Known(1)
			}),
		},
		{
			name: "zero replicas",
			cluster: func(api *apiServer) {
				api.put(pathDeployments, newWorkload("Deployment", 0, 0))
				for i := range 3 {
					api.delete(pathPods, fmt.Sprint("shop/worker-", i))
				}
			},
			want: seen(func(v *View) {
				v.Fleet.Spec, v.Fleet.Status, v.Fleet.Ready = decision.Known(0), decision.Known(0), decision.Known(0)
			}),
		},
		{
			name:    "surge of a rolling update",
			cluster: func(api *apiServer) { api.put(pathDeployments, newWorkload("Deployment", 3, 5)) },
			want:    seen(func(v *View) { v.Fleet.Status = decision.Known(5) }),
		},
		{
			name: "no such target",
			cluster: func(api *apiServer) {
				api.put(pathObjects, with(newScaledObject(), "spec.scaleTargetRef.name", "other"))
			},
			want: seen(func(v *View) {
				v.Target = "deployments.apps/other"
				v.Fleet.Spec, v.Fleet.Status, v.Fleet.Ready = decision.Count{}, decision.Count{}, decision.Count{}
			}),
		},
		{
			name:    "no target named",
			cluster: func(api *apiServer) { api.put(pathObjects, with(newScaledObject(), "spec.scaleTargetRef.name", "")) },
			want: seen(func(v *View) {
				v.Target = "deployments.apps/"
				v.Fleet.Spec, v.Fleet.Status, v.Fleet.Ready = decision.Count{}, decision.Count{}, decision.Count{}
			}),
		},
		{
			name:    "replicas that are no number",
			cluster: func(api *apiServer) { api.put(pathDeployments, with(deployment, "spec.replicas", "three")) },
			want:    seen(func(v *View) { v.Fleet.Spec = decision.Count{} }),
		},
		{
			name:    "a selector of everything",
			cluster: func(api *apiServer) { api.put(pathDeployments, with(deployment, "spec.selector", object{})) },
			want:    seen(func(v *View) { v.Fleet.Ready = decision.Count{} }),
		},
		{
			name: "a selector that is none",
			cluster: func(api *apiServer) {
				api.put(pathDeployments, with(deployment, "spec.selector.matchExpressions",
					[]object{{"key": "app", "operator": "Near"}}))
			},
			want: seen(func(v *View) { v.Fleet.Ready = decision.Count{} }),
		},
		{
			name: "a selector by expression",
			cluster: func(api *apiServer) {
				api.put(pathDeployments, with(deployment, "spec.selector", object{
					"matchExpressions": []object{{"key": "app", "operator": "In", "values": []string{"worker", "other"}}},
				}))
				api.put(pathPods, newPod("other", "other", "Running", "True"))
			},
			want: seen(func(v *View) { v.Fleet.Ready = decision.Known(4) }),
		},
	} {
		t.Run(c.name, c.run)
	}
}

func TestLookReady(t *testing.T) {
	terminating := with(newPod("worker-0", "worker", "Running", "True"), "metadata.deletionTimestamp", "2026-01-01T00:00:00Z")
	for _, c := range []struct {
		name string
		pod  object
		want int
	}{
		{name: "ready", pod: newPod("worker-0", "worker", "Running", "True"), want: 3},
		{name: "not ready", pod: newPod("worker-0", "worker", "Running", "False"), want: 2},
		{name: "unknown", pod: newPod("worker-0", "worker", "Running", "Unknown"), want: 2},
		{name: "pending", pod: newPod("worker-0", "worker", "Pending", "True"), want: 2},
		{name: "succeeded", pod: newPod("worker-0", "worker", "Succeeded", "True"), want: 2},
		{name: "terminating but ready", pod: terminating, want: 3},
		{name: "of another fleet", pod: newPod("worker-0", "other", "Running", "True"), want: 2},
		{name: "of another namespace", pod: with(newPod("worker-9", "worker", "Running", "True"), "metadata.namespace", "farm"), want: 3},
		{name: "without conditions", pod: with(newPod("worker-0", "worker", "Running", "True"), "status.conditions", nil), want: 2},
	} {
		lookCase{
			name:    c.name,
			cluster: func(api *apiServer) { api.put(pathPods, c.pod) },
			want:    seen(func(v *View) { v.Fleet.Ready = decision.Known(c.want) }),
		}.named(t)
	}
}

func (c lookCase) named(t *testing.T) { t.Run(c.name, c.run) }

func TestLookHPA(t *testing.T) {
	none := time.Time{}
	up := with(newHPA("keda-hpa-worker", none), "spec.behavior.scaleUp.tolerance", "50m")
	for _, c := range []lookCase{
		{
			name:    "default tolerance",
			cluster: func(api *apiServer) { api.put(pathHPAs, newHPA("keda-hpa-worker", none)) },
			want:    seen(func(v *View) { v.HPA = "keda-hpa-worker" }),
		},
		{
			name:    "tolerance upward only",
			cluster: func(api *apiServer) { api.put(pathHPAs, up) },
			want: seen(func(v *View) {
				v.HPA = "keda-hpa-worker"
				v.Fleet.Tolerance.Up = 0.05
			}),
		},
		{
			name: "tolerance in both directions",
			cluster: func(api *apiServer) {
				api.put(pathHPAs, with(up, "spec.behavior.scaleDown.tolerance", "0.2"))
			},
			want: seen(func(v *View) {
				v.HPA = "keda-hpa-worker"
				v.Fleet.Tolerance = decision.Tolerance{Up: 0.05, Down: 0.2}
			}),
		},
		{
			name: "tolerance written as a number",
			cluster: func(api *apiServer) {
				h := with(up, "spec.behavior.scaleUp.tolerance", 0)
				api.put(pathHPAs, with(h, "spec.behavior.scaleDown.tolerance", 0.25))
			},
			want: seen(func(v *View) {
				v.HPA = "keda-hpa-worker"
				v.Fleet.Tolerance = decision.Tolerance{Up: 0, Down: 0.25}
			}),
		},
		{
			name: "tolerance that is none",
			cluster: func(api *apiServer) {
				h := with(up, "spec.behavior.scaleUp.tolerance", "much")
				api.put(pathHPAs, with(h, "spec.behavior.scaleDown.tolerance", "-1"))
			},
			want: seen(func(v *View) { v.HPA = "keda-hpa-worker" }),
		},
		{
			name: "named in the status",
			cluster: func(api *apiServer) {
				api.put(pathObjects, with(newScaledObject(), "status.hpaName", "mine"))
				api.put(pathHPAs, with(newHPA("mine", none), "spec.behavior.scaleUp.tolerance", "0.02"))
			},
			want: seen(func(v *View) {
				v.HPA = "mine"
				v.Fleet.Tolerance.Up = 0.02
			}),
		},
		{
			name: "named in the spec",
			cluster: func(api *apiServer) {
				api.put(pathObjects, with(newScaledObject(), "spec.advanced.horizontalPodAutoscalerConfig.name", "mine"))
				api.put(pathHPAs, newHPA("mine", none))
			},
			want: seen(func(v *View) { v.HPA = "mine" }),
		},
		{
			name:    "found by its owner",
			cluster: func(api *apiServer) { api.put(pathHPAs, newHPA("renamed", none)) },
			want:    seen(func(v *View) { v.HPA = "renamed" }),
		},
		{
			name: "owned by another",
			cluster: func(api *apiServer) {
				api.put(pathHPAs, with(up, "metadata.ownerReferences", []object{{"kind": "ScaledObject", "name": "other"}}))
			},
			want: seen(nil),
		},
		{
			name:    "owned by nobody",
			cluster: func(api *apiServer) { api.put(pathHPAs, with(up, "metadata.ownerReferences", nil)) },
			want: seen(func(v *View) {
				v.HPA = "keda-hpa-worker"
				v.Fleet.Tolerance.Up = 0.05
			}),
		},
		{name: "missing", want: seen(nil)},
	} {
		t.Run(c.name, c.run)
	}
}

func TestLookScaledObject(t *testing.T) {
	put := func(path string, value any) func(api *apiServer) {
		return func(api *apiServer) { api.put(pathObjects, with(newScaledObject(), path, value)) }
	}
	for _, c := range []lookCase{
		{
			name: "bounds",
			cluster: func(api *apiServer) {
				api.put(pathObjects, with(with(newScaledObject(), "spec.minReplicaCount", 2), "spec.maxReplicaCount", 7))
			},
			want: seen(func(v *View) { v.Fleet.Min, v.Fleet.Max = 2, 7 }),
		},
		{
			name:    "paused",
			cluster: put("metadata.annotations.autoscaling|keda|sh/paused", "true"),
			want:    seen(func(v *View) { v.Paused = true }),
		},
		{
			name:    "paused by what is no boolean",
			cluster: put("metadata.annotations.autoscaling|keda|sh/paused", "yes"),
			want:    seen(func(v *View) { v.Paused = true }),
		},
		{
			name:    "not paused",
			cluster: put("metadata.annotations.autoscaling|keda|sh/paused", "false"),
			want:    seen(nil),
		},
		{
			name:    "paused at a count",
			cluster: put("metadata.annotations.autoscaling|keda|sh/paused-replicas", "0"),
			want:    seen(func(v *View) { v.Paused = true }),
		},
		{
			name:    "paused scale-in",
			cluster: put("metadata.annotations.autoscaling|keda|sh/paused-scale-in", "true"),
			want:    seen(func(v *View) { v.PausedScaleIn = true }),
		},
		{
			name:    "paused scale-out",
			cluster: put("metadata.annotations.autoscaling|keda|sh/paused-scale-out", "1"),
			want:    seen(func(v *View) { v.PausedScaleOut = true }),
		},
		{
			name:    "a spec that is not what it should be",
			cluster: put("spec.triggers", "none"),
			want: seen(func(v *View) {
				v.MetricType, v.MetricTypeKnown = decision.AverageValue, false
			}),
		},
	} {
		t.Run(c.name, c.run)
	}
}
