package hpa

import (
	"fmt"
	"reflect"
	"testing"
	"time"
	"unsafe"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

const namespace, metric = "shop", "s0-zmy"

// hpa is Kubernetes' calculator with a metric and pods that a test sets.
type hpa struct {
	calculator *podautoscaler.ReplicaCalculator
	metric     external
	pods       pods
}

func newHPA() *hpa {
	h := &hpa{}
	h.calculator = podautoscaler.NewReplicaCalculator(&h.metric, &h.pods, 5*time.Minute, 30*time.Second)
	return h
}

// value returns what the HPA computes under metric type Value.
func (h *hpa) value(target int64, spec int, tol decision.Tolerance) (int, error) {
	n, _, _, err := h.calculator.GetExternalMetricReplicas(int32(spec), target, metric, tolerances(tol), namespace, &meta.LabelSelector{}, ours())
	return int(n), err
}

// averageValue returns what the HPA computes under metric type AverageValue.
func (h *hpa) averageValue(target int64, status int, tol decision.Tolerance) (int, error) {
	n, _, _, err := h.calculator.GetExternalPerPodMetricReplicas(int32(status), target, metric, tolerances(tol), namespace, &meta.LabelSelector{})
	return int(n), err
}

// tolerances makes the calculator's own type, whose fields only Kubernetes may
// set. They are found by name: a release that renames them fails here, and
// TestTolerances sees one that swaps them.
func tolerances(tol decision.Tolerance) podautoscaler.Tolerances {
	var t podautoscaler.Tolerances
	set := func(name string, v float64) {
		field := reflect.ValueOf(&t).Elem().FieldByName(name)
		*(*float64)(unsafe.Pointer(field.UnsafeAddr())) = v
	}
	set("scaleDown", tol.Down)
	set("scaleUp", tol.Up)
	return t
}

func TestTolerances(t *testing.T) {
	t.Parallel()
	typ := reflect.TypeFor[podautoscaler.Tolerances]()
	if typ.NumField() != 2 || typ.Field(0).Type.Kind() != reflect.Float64 || typ.Field(1).Type.Kind() != reflect.Float64 {
		t.Fatalf("the tolerances of the HPA are no longer two numbers: %v", typ)
	}
	if got, want := tolerances(decision.Tolerance{Down: 0.05, Up: 0.25}).String(), "[down:5.0%, up:25.0%]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// external is a metrics client with one external metric, of one or more values.
type external struct {
	metrics.MetricsClient

	values []int64
}

func (e *external) GetExternalMetric(name, ns string, _ labels.Selector) ([]int64, time.Time, error) {
	if name != metric || ns != namespace {
		return nil, time.Time{}, fmt.Errorf("asked for %s/%s", ns, name)
	}
	return e.values, time.Time{}, nil
}

// pods lists the pods of a namespace.
type pods struct {
	listers.PodNamespaceLister

	all []*core.Pod
}

func (p *pods) Pods(ns string) listers.PodNamespaceLister {
	if ns != namespace {
		return &pods{}
	}
	return p
}

func (p *pods) List(s labels.Selector) ([]*core.Pod, error) {
	var found []*core.Pod
	for _, pod := range p.all {
		if s.Matches(labels.Set(pod.Labels)) {
			found = append(found, pod)
		}
	}
	return found, nil
}

func ours() labels.Selector { return labels.SelectorFromSet(labels.Set{"app": "payment"}) }

func pod(app string, phase core.PodPhase, conditions ...core.PodCondition) *core.Pod {
	return &core.Pod{
		ObjectMeta: meta.ObjectMeta{Namespace: namespace, Labels: map[string]string{"app": app}},
		Status:     core.PodStatus{Phase: phase, Conditions: conditions},
	}
}

func condition(typ core.PodConditionType, status core.ConditionStatus) core.PodCondition {
	return core.PodCondition{Type: typ, Status: status}
}

// readyPod counts for the HPA.
func readyPod() *core.Pod {
	return pod("payment", core.PodRunning, condition(core.PodScheduled, core.ConditionTrue), condition(core.PodReady, core.ConditionTrue))
}

// otherPods are pods that do not count, each for a reason of its own.
func otherPods() []*core.Pod {
	ready := condition(core.PodReady, core.ConditionTrue)
	return []*core.Pod{
		pod("payment", core.PodPending),
		pod("payment", core.PodPending, ready),
		pod("payment", core.PodRunning),
		pod("payment", core.PodRunning, condition(core.PodReady, core.ConditionFalse)),
		pod("payment", core.PodRunning, condition(core.PodReady, core.ConditionUnknown)),
		pod("payment", core.PodRunning, condition(core.ContainersReady, core.ConditionTrue)),
		pod("payment", core.PodSucceeded, ready),
		pod("payment", core.PodFailed, ready),
	}
}

// strangers are pods of somebody else.
func strangers() []*core.Pod {
	return []*core.Pod{pod("billing", core.PodRunning, condition(core.PodReady, core.ConditionTrue)), pod("", core.PodRunning)}
}

func TestCalculatorListsPods(t *testing.T) {
	t.Parallel()
	h := newHPA()
	h.metric.values = []int64{3000}
	h.pods.all = strangers()
	if _, err := h.value(1000, 1, decision.Tolerance{}); err == nil {
		t.Error("the calculator counted pods of somebody else")
	}
	h.pods.all = append(otherPods(), readyPod(), readyPod())
	if n, err := h.value(1000, 1, decision.Tolerance{}); err != nil || n != 6 {
		t.Errorf("two ready pods, three times too much for them: %d, %v", n, err)
	}
}
