package kube

import (
	"maps"
	"sync"
	"sync/atomic"
	"unique"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
)

// pod is what is read of a pod, beside its name and labels.
type pod struct {
	labels map[string]string
	// ready is how the HPA counts: phase Running and condition Ready. A pod that
	// is being terminated counts for as long as it is both.
	ready bool
}

// stripPod keeps of a pod what is read of it. There are many pods with the same
// labels, so that their texts are shared.
func stripPod(u *unstructured.Unstructured) *entry[pod] {
	own := u.GetLabels()
	p := pod{labels: make(map[string]string, len(own)), ready: podReady(u)}
	for key, value := range own {
		p.labels[unique.Make(key).Value()] = unique.Make(value).Value()
	}
	e := newEntry(u, p)
	e.UID = ""
	e.Namespace = unique.Make(e.Namespace).Value()
	return e
}

func podReady(u *unstructured.Unstructured) bool {
	if phase, _, _ := unstructured.NestedString(u.Object, "status", "phase"); phase != "Running" {
		return false
	}
	field, _, _ := unstructured.NestedFieldNoCopy(u.Object, "status", "conditions")
	conditions, _ := field.([]any)
	for _, c := range conditions {
		if condition, _ := c.(map[string]any); condition["type"] == "Ready" {
			return condition["status"] == "True"
		}
	}
	return false
}

// podCounts counts the ready pods of the targets that were asked for. The counts
// follow every change of a pod, so that reading one costs nothing, however many
// pods there are.
type podCounts struct {
	mu         sync.Mutex
	namespaces map[string]*podNamespace
}

type podNamespace struct {
	pods     map[string]*entry[pod]
	counters map[string]*counter
}

// counter counts the ready pods that a selector selects.
type counter struct {
	namespace string
	text      string
	selector  labels.Selector
	refs      int
	n         atomic.Int64
	// version changes whenever a selected pod comes, goes, or changes its
	// readiness.
	version atomic.Int64
}

func newPodCounts() *podCounts {
	return &podCounts{namespaces: make(map[string]*podNamespace)}
}

// namespace returns a namespace. The caller holds the lock.
func (c *podCounts) namespace(name string) *podNamespace {
	ns, ok := c.namespaces[name]
	if !ok {
		ns = &podNamespace{pods: make(map[string]*entry[pod]), counters: make(map[string]*counter)}
		c.namespaces[name] = ns
	}
	return ns
}

// drop forgets a namespace of which nothing is left. The caller holds the lock.
func (c *podCounts) drop(name string, ns *podNamespace) {
	if len(ns.pods) == 0 && len(ns.counters) == 0 {
		delete(c.namespaces, name)
	}
}

// acquire returns the counter of a selector. Release it when done.
func (c *podCounts) acquire(namespace string, s *scale) *counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	ns := c.namespace(namespace)
	k, ok := ns.counters[s.selectorText]
	if !ok {
		k = &counter{namespace: namespace, text: s.selectorText, selector: s.selector}
		for _, p := range ns.pods {
			k.n.Add(k.counts(p))
		}
		ns.counters[s.selectorText] = k
	}
	k.refs++
	return k
}

// release ends the use of a counter.
func (c *podCounts) release(k *counter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.refs--; k.refs > 0 {
		return
	}
	ns := c.namespace(k.namespace)
	delete(ns.counters, k.text)
	c.drop(k.namespace, ns)
}

// changed takes in one event: a pod was added (old is nil), updated or deleted
// (now is nil).
func (c *podCounts) changed(old, now *entry[pod]) {
	known := now
	if known == nil {
		known = old
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ns := c.namespace(known.Namespace)
	// What was counted for the pod is what is held here, whatever the event says.
	old = ns.pods[known.Name]
	if now == nil {
		delete(ns.pods, known.Name)
		defer c.drop(known.Namespace, ns)
	} else {
		ns.pods[known.Name] = now
	}
	if old != nil && now != nil && old.value.ready == now.value.ready && maps.Equal(old.value.labels, now.value.labels) {
		return
	}
	for _, k := range ns.counters {
		d := k.counts(now) - k.counts(old)
		k.n.Add(d)
		if d != 0 || k.selects(now) != k.selects(old) {
			k.version.Add(1)
		}
	}
}

// selects reports whether there is a pod and the selector selects it.
func (k *counter) selects(p *entry[pod]) bool {
	return p != nil && k.selector.Matches(labels.Set(p.value.labels))
}

// counts returns 1 for a pod that the counter counts, else 0.
func (k *counter) counts(p *entry[pod]) int64 {
	if k.selects(p) && p.value.ready {
		return 1
	}
	return 0
}
