package kube

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// scale is what is read of a scale target.
type scale struct {
	spec, status decision.Count
	// selector selects the target's pods; nil when unknown, and for a selector
	// that selects everything, which the HPA refuses.
	selector labels.Selector
	// selectorText is the selector in its canonical form.
	selectorText string
}

// watched tells whether the replicas of a resource are read from the object
// itself. Only these have a schema that is known here; any other kind is asked
// for its scale subresource.
func watched(gvr schema.GroupVersionResource) bool {
	if gvr.Group != "apps" || gvr.Version != "v1" {
		return false
	}
	switch gvr.Resource {
	case "deployments", "statefulsets", "replicasets":
		return true
	}
	return false
}

// stripWorkload keeps of a Deployment, StatefulSet or ReplicaSet what is read of it.
func stripWorkload(u *unstructured.Unstructured) *entry[scale] {
	var s scale
	// The API server fills in the default, but objects of old may lack it.
	s.spec = count(u, 1, "spec", "replicas")
	// A status without replicas is one of 0: the field is left out then.
	s.status = count(u, 0, "status", "replicas")
	var selector metav1.LabelSelector
	field, _, _ := unstructured.NestedFieldNoCopy(u.Object, "spec", "selector")
	if decode(field, &selector) {
		if parsed, err := metav1.LabelSelectorAsSelector(&selector); err == nil {
			s.selectBy(parsed)
		}
	}
	return newEntry(u, s)
}

// readScale reads an answer of the scale subresource. Its replicas, too, are
// left out when they are 0.
func readScale(u *unstructured.Unstructured) scale {
	if u.GetKind() != "Scale" {
		return scale{}
	}
	s := scale{spec: count(u, 0, "spec", "replicas"), status: count(u, 0, "status", "replicas")}
	text, _, _ := unstructured.NestedString(u.Object, "status", "selector")
	if parsed, err := labels.Parse(text); err == nil {
		s.selectBy(parsed)
	}
	return s
}

// selectBy sets the selector, unless it selects everything or nothing.
func (s *scale) selectBy(selector labels.Selector) {
	if requirements, selectable := selector.Requirements(); !selectable || len(requirements) == 0 {
		return
	}
	s.selector, s.selectorText = selector, selector.String()
}

// count reads a number of replicas. What is there but is no such number is
// unknown; what is not there has the default.
func count(u *unstructured.Unstructured, missing int, fields ...string) decision.Count {
	value, ok, err := unstructured.NestedFieldNoCopy(u.Object, fields...)
	if err != nil {
		return decision.Count{}
	}
	if !ok || value == nil {
		return decision.Known(missing)
	}
	n, ok := value.(int64)
	if !ok || n < 0 {
		return decision.Count{}
	}
	return decision.Known(int(n))
}

// nothing is kept of an object of which only the version matters.
func stripNothing(u *unstructured.Unstructured) *entry[struct{}] {
	return newEntry(u, struct{}{})
}
