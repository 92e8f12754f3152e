package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	v2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/infra-arch/zmy-scaler/e2e/internal/loop"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// history is everything that happened to a fleet: the API server tells of each
// change, so that a count that was wrong for a moment is seen.
type history struct {
	s *Stage

	mu      sync.Mutex
	counts  []moment // of spec.replicas
	alive   int      // ready replicas
	trouble []string // what the HPA could not do, once each
	metrics []string // that the HPA looked at, in any of its versions
	usages  []string // that it was told under metric type Value, once each
	failed  error    // of the watching itself
}

// moment is a number from an instant on.
type moment struct {
	at time.Time
	n  int
}

func newHistory(s *Stage) *history { return &history{s: s} }

func hpaResource() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}
}

// begin starts to record.
func (h *history) begin(ctx context.Context) error {
	if err := h.watch(ctx, h.s.Fleet.resource(), h.target); err != nil {
		return err
	}
	return h.watch(ctx, hpaResource(), h.hpa)
}

// watch has every version of the objects of a kind noted.
func (h *history) watch(ctx context.Context, resource schema.GroupVersionResource, note func(*unstructured.Unstructured)) error {
	w, err := h.s.dynamic.Resource(resource).Namespace(h.s.Namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	go func() {
		for event := range w.ResultChan() {
			if object, ok := event.Object.(*unstructured.Unstructured); ok && event.Type != watch.Deleted {
				h.mu.Lock()
				note(object)
				h.mu.Unlock()
			}
		}
		if ctx.Err() == nil {
			h.mu.Lock()
			h.failed = fmt.Errorf("the watch of %s has ended", resource.Resource)
			h.mu.Unlock()
		}
	}()
	return nil
}

func (h *history) target(object *unstructured.Unstructured) {
	if object.GetName() != fleetName {
		return
	}
	n, _, err := unstructured.NestedInt64(object.Object, "spec", "replicas")
	h.failed = errors.Join(h.failed, err)
	if len(h.counts) == 0 || h.counts[len(h.counts)-1].n != int(n) {
		h.counts = append(h.counts, moment{time.Now(), int(n)})
	}
	ready, _, err := unstructured.NestedInt64(object.Object, "status", "readyReplicas")
	h.failed = errors.Join(h.failed, err)
	h.alive = int(ready)
}

func (h *history) hpa(object *unstructured.Unstructured) {
	var hpa v2.HorizontalPodAutoscaler
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &hpa); err != nil {
		h.failed = errors.Join(h.failed, err)
		return
	}
	for _, c := range hpa.Status.Conditions {
		// At zero the HPA is off, which is no trouble. That it is limited or not is
		// a condition of another meaning.
		if c.Status == corev1.ConditionFalse && c.Type != v2.ScalingLimited && c.Reason != "ScalingDisabled" {
			h.once(&h.trouble, fmt.Sprintf("%s: %s: %s", c.Type, c.Reason, c.Message))
		}
	}
	for _, m := range hpa.Spec.Metrics {
		name := string(m.Type)
		if m.External != nil && m.External.Metric.Name != "" {
			name = m.External.Metric.Name
		}
		h.once(&h.metrics, name)
	}
	for _, m := range hpa.Status.CurrentMetrics {
		if m.External != nil && m.External.Current.Value != nil {
			h.once(&h.usages, m.External.Current.Value.String())
		}
	}
}

func (h *history) once(list *[]string, text string) {
	if !slices.Contains(*list, text) {
		*list = append(*list, text)
	}
}

// spec returns the newest spec.replicas, and how many are ready.
func (h *history) spec() (spec, ready int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.counts) == 0 {
		return 0, 0
	}
	return h.counts[len(h.counts)-1].n, h.alive
}

// all returns every count so far.
func (h *history) all() []int {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []int
	for _, m := range h.counts {
		all = append(all, m.n)
	}
	return all
}

// ready reports whether the fleet has a size and all of it is ready.
func (h *history) ready(n int) func(context.Context) error {
	return func(context.Context) error {
		h.mu.Lock()
		failed := h.failed
		h.mu.Unlock()
		if spec, ready := h.spec(); spec != n || ready != n {
			return errors.Join(failed, fmt.Errorf("%d replicas, %d ready; want %d", spec, ready, n))
		}
		return failed
	}
}

// String returns the history for people.
func (h *history) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var text strings.Builder
	for _, m := range h.counts {
		fmt.Fprintf(&text, "%s spec.replicas %d\n", m.at.UTC().Format("15:04:05.000"), m.n)
	}
	for _, t := range h.trouble {
		fmt.Fprintf(&text, "HPA: %s\n", t)
	}
	return text.String()
}

// Becomes waits until the fleet has a size, with all of it ready.
func (s *Stage) Becomes(ctx context.Context, n int) {
	s.t.Helper()
	s.BecomesWithin(ctx, soon, n)
}

// BecomesWithin is Becomes for what takes its time.
func (s *Stage) BecomesWithin(ctx context.Context, d time.Duration, n int) {
	s.t.Helper()
	s.must(wait.Within(ctx, d, fmt.Sprintf("%d replicas", n), s.history.ready(n)))
}

// Until waits until the fleet is at least this large, ready or not.
func (s *Stage) Until(ctx context.Context, n int) {
	s.t.Helper()
	s.must(wait.Within(ctx, soon, fmt.Sprintf("%d replicas", n), func(context.Context) error {
		if spec, _ := s.history.spec(); spec < n {
			return fmt.Errorf("spec.replicas is %d", spec)
		}
		return nil
	}))
}

// Stays sees that the size of the fleet does not change for a while.
func (s *Stage) Stays(ctx context.Context, d time.Duration) {
	s.t.Helper()
	before := len(s.history.all())
	s.must(wait.Pass(ctx, d, func(context.Context) error {
		if all := s.history.all(); len(all) != before {
			return fmt.Errorf("spec.replicas went %v, and should have stayed at %d", all[before-1:], all[before-1])
		}
		return nil
	}))
}

// Went sees that the fleet had exactly these sizes, in this order.
func (s *Stage) Went(want ...int) {
	s.t.Helper()
	if all := s.history.all(); !slices.Equal(all, want) {
		s.t.Errorf("spec.replicas went %v, want %v", all, want)
	}
}

// Sizes returns all sizes that the fleet had.
func (s *Stage) Sizes() []int { return s.history.all() }

// Changes returns all changes of the size of the fleet.
func (s *Stage) Changes() []loop.Change {
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	var all []loop.Change
	for i, m := range s.history.counts {
		if i > 0 {
			all = append(all, loop.Change{At: m.at, From: s.history.counts[i-1].n, To: m.n})
		}
	}
	return all
}

// Ready returns how many replicas are ready.
func (s *Stage) Ready() int {
	_, ready := s.history.spec()
	return ready
}

// Trouble returns what the HPA complained of so far.
func (s *Stage) Trouble() []string {
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	return slices.Clone(s.history.trouble)
}

// Usages returns what the HPA was told under metric type Value.
func (s *Stage) Usages() []string {
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	return slices.Clone(s.history.usages)
}

// Metrics returns the metrics that the HPA had in any of its versions.
func (s *Stage) Metrics() []string {
	s.history.mu.Lock()
	defer s.history.mu.Unlock()
	return slices.Clone(s.history.metrics)
}
