package hpa

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	autoscaling "k8s.io/api/autoscaling/v1"
	v2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"
	defaults "k8s.io/kubernetes/pkg/apis/autoscaling/v2"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"

	"github.com/infra-arch/zmy-scaler/internal/autoscaler"
	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

const (
	target = 30000 // of the metric, in thousandths
	least  = 2
	most   = 60
)

// TestBehavior lets Kubernetes' own controller and our model scale side by side,
// in synthetic time, under behaviors and demands made by chance.
func TestBehavior(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { compare(t, rand.New(rand.NewPCG(seed, 7))) })
		})
	}
}

func compare(t *testing.T, rng *rand.Rand) {
	given := behavior(rng)
	model := autoscaler.NewHPA(least, most, read(t, given))
	c := newControlled(t, given, 1+rng.IntN(most))
	// The controller's turns come a period apart, or a millisecond later.
	<-time.After(5 * time.Millisecond)
	usage, scaled := int64(target*10), 0
	for turn := range 160 {
		if rng.IntN(4) == 0 {
			usage = int64(target * rng.IntN(2*most) / 2 * (80 + rng.IntN(40)) / 100)
		}
		before := c.set(usage)
		<-time.After(autoscaler.SyncPeriod)
		synctest.Wait()
		want := model.Sync(c.looked(), autoscaler.Counts{Spec: before, Status: before, Ready: before},
			autoscaler.Metric{Type: decision.AverageValue, Usage: usage, Target: target})
		got := c.replicas()
		if got != want {
			t.Fatalf("turn %d, from %d with a usage of %d: Kubernetes scales to %d, the model to %d\nbehavior %+v", turn, before, usage, got, want, read(t, given))
		}
		if got != before {
			scaled++
		}
		if rng.IntN(60) == 0 {
			c.resize(1 + rng.IntN(most+5)) // somebody else does
		}
	}
	if scaled == 0 && given == nil {
		t.Error("nothing was scaled")
	}
}

// behavior returns one as people write it, with much left out; nil for none.
func behavior(rng *rand.Rand) *v2.HorizontalPodAutoscalerBehavior {
	if rng.IntN(5) == 0 {
		return nil
	}
	rules := func() *v2.HPAScalingRules {
		r := &v2.HPAScalingRules{}
		if rng.IntN(4) == 0 {
			return nil
		}
		if rng.IntN(2) == 0 {
			r.StabilizationWindowSeconds = new(int32([]int{0, 15, 40, 60, 300, 600}[rng.IntN(6)]))
		}
		if rng.IntN(3) == 0 {
			r.SelectPolicy = new([]v2.ScalingPolicySelect{v2.MaxChangePolicySelect, v2.MinChangePolicySelect, v2.DisabledPolicySelect}[rng.IntN(3)])
		}
		if rng.IntN(3) == 0 {
			r.Tolerance = new(resource.MustParse([]string{"0", "0.05", "0.3"}[rng.IntN(3)]))
		}
		for range rng.IntN(3) {
			p := v2.HPAScalingPolicy{Type: v2.PodsScalingPolicy, Value: int32(1 + rng.IntN(8)), PeriodSeconds: int32([]int{5, 15, 60, 90}[rng.IntN(4)])}
			if rng.IntN(2) == 0 {
				p.Type, p.Value = v2.PercentScalingPolicy, int32(5+rng.IntN(150))
			}
			r.Policies = append(r.Policies, p)
		}
		return r
	}
	return &v2.HorizontalPodAutoscalerBehavior{ScaleUp: rules(), ScaleDown: rules()}
}

// read reads a behavior as a manifest has it.
func read(t *testing.T, b *v2.HorizontalPodAutoscalerBehavior) manifest.Behavior {
	t.Helper()
	text, err := json.Marshal(map[string]any{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": map[string]any{"name": "x"}, "spec": map[string]any{
		"scaleTargetRef": map[string]any{"name": "x"}, "triggers": []any{map[string]any{"type": "external", "metadata": map[string]any{}}},
		"advanced": map[string]any{"horizontalPodAutoscalerConfig": map[string]any{"behavior": b}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := manifest.Read("x.yaml", strings.NewReader(string(text)))
	if err != nil || len(f.Objects) != 1 || len(f.Objects[0].Faults) > 0 {
		t.Fatalf("%s: %+v, %v", text, f, err)
	}
	return f.Objects[0].Behavior
}

// controlled is a Deployment under Kubernetes' controller.
type controlled struct {
	mu    sync.Mutex
	spec  int32
	usage int64
	at    time.Time // of the last look
}

// set sets what is used, and returns how many replicas there are.
func (c *controlled) set(usage int64) (replicas int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.usage = usage
	return int(c.spec)
}

func (c *controlled) replicas() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int(c.spec)
}

// looked is when the controller looked last.
func (c *controlled) looked() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *controlled) resize(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spec = int32(n)
}

// scale answers for the subresource.
func (c *controlled) scale(action clienttesting.Action) (bool, runtime.Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = time.Now()
	if update, ok := action.(clienttesting.UpdateAction); ok {
		s, ok := update.GetObject().(*autoscaling.Scale)
		if !ok {
			return true, nil, fmt.Errorf("an update of %T", update.GetObject())
		}
		c.spec = s.Spec.Replicas
	}
	return true, &autoscaling.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: namespace},
		Spec:       autoscaling.ScaleSpec{Replicas: c.spec},
		Status:     autoscaling.ScaleStatus{Replicas: c.spec, Selector: "app=payment"},
	}, nil
}

// usageOf is what the controller reads the metric from.
type usageOf struct {
	external

	c *controlled
}

// GetExternalMetric implements the controller's client.
func (u usageOf) GetExternalMetric(name, ns string, s labels.Selector) ([]int64, time.Time, error) {
	u.c.mu.Lock()
	defer u.c.mu.Unlock()
	u.values = []int64{u.c.usage}
	return u.external.GetExternalMetric(name, ns, s)
}

// newControlled starts a controller. Its first turn is a period from now.
func newControlled(t *testing.T, b *v2.HorizontalPodAutoscalerBehavior, replicas int) *controlled {
	c := &controlled{spec: int32(replicas)}
	hpa := &v2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "x", Namespace: namespace},
		Spec: v2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: v2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "x"},
			MinReplicas:    new(int32(least)), MaxReplicas: most, Behavior: b.DeepCopy(),
			Metrics: []v2.MetricSpec{{Type: v2.ExternalMetricSourceType, External: &v2.ExternalMetricSource{
				Metric: v2.MetricIdentifier{Name: metric, Selector: &metav1.LabelSelector{}},
				Target: v2.MetricTarget{Type: v2.AverageValueMetricType, AverageValue: resource.NewMilliQuantity(target, resource.DecimalSI)},
			}}},
		},
	}
	defaults.SetDefaults_HorizontalPodAutoscalerBehavior(hpa)
	client, scales := fake.NewClientset(hpa), &scalefake.FakeScaleClient{}
	scales.AddReactor("*", "deployments", c.scale)
	mapper := meta.NewDefaultRESTMapper([]schema.GroupVersion{{Group: "apps", Version: "v1"}})
	mapper.Add(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, meta.RESTScopeNamespace)

	ctx, cancel := context.WithCancel(klog.NewContext(t.Context(), logr.Discard()))
	factory := informers.NewSharedInformerFactory(client, 0)
	controller := podautoscaler.NewHorizontalController(ctx, client.CoreV1(), scales, client.AutoscalingV2(), mapper, usageOf{c: c},
		factory.Autoscaling().V2().HorizontalPodAutoscalers(), factory.Core().V1().Pods(),
		autoscaler.SyncPeriod, manifest.DefaultDownWindow, decision.DefaultTolerance, 5*time.Minute, 30*time.Second)
	factory.Start(ctx.Done())
	var running sync.WaitGroup
	running.Go(func() { controller.Run(ctx, 1) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		factory.Shutdown()
	})
	synctest.Wait()
	return c
}
