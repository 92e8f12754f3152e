package kube

import (
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// indexOwner indexes HPAs by the ScaledObject that owns them.
const indexOwner = "owner"

// hpa is what is read of a HorizontalPodAutoscaler.
type hpa struct {
	// owner is the name of the ScaledObject that owns it, empty when none does.
	owner string
	// tolerance is complete: a direction that says nothing has the default.
	tolerance decision.Tolerance
	// lastScale is zero when it never scaled.
	lastScale time.Time
}

// stripHPA keeps of an HPA what is read of it.
func stripHPA(u *unstructured.Unstructured) *entry[hpa] {
	h := hpa{tolerance: decision.Tolerance{
		Down: tolerance(u, "scaleDown"),
		Up:   tolerance(u, "scaleUp"),
	}}
	for _, ref := range u.GetOwnerReferences() {
		if ref.Kind == "ScaledObject" {
			h.owner = ref.Name
		}
	}
	text, _, _ := unstructured.NestedString(u.Object, "status", "lastScaleTime")
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		h.lastScale = at.UTC()
	}
	return newEntry(u, h)
}

// tolerance reads a tolerance of the HPA's behavior. It is a quantity, which may
// be written as a string or as a number.
func tolerance(u *unstructured.Unstructured, direction string) float64 {
	value, ok, err := unstructured.NestedFieldNoCopy(u.Object, "spec", "behavior", direction, "tolerance")
	if !ok || err != nil {
		return decision.DefaultTolerance
	}
	text := ""
	switch v := value.(type) {
	case string:
		text = v
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	}
	quantity, err := resource.ParseQuantity(text)
	if err != nil || quantity.Sign() < 0 {
		return decision.DefaultTolerance
	}
	return quantity.AsApproximateFloat64()
}

// byOwner is the index of HPAs by their owner.
func byOwner(obj any) ([]string, error) {
	e, ok := obj.(*entry[hpa])
	if !ok || e.value.owner == "" {
		return nil, nil
	}
	return []string{cacheKey(e.Namespace, e.value.owner)}, nil
}

// findHPA returns the HPA of a ScaledObject, nil when none is in sight. An HPA
// that has the right name but belongs to another ScaledObject is not it.
func (r *Reader) findHPA(so *entry[scaledObject], key string) *entry[hpa] {
	if e := r.hpas.get(so.value.hpaKey); e != nil && (e.value.owner == "" || e.value.owner == so.Name) {
		return e
	}
	owned, err := r.hpas.shared.GetIndexer().ByIndex(indexOwner, key)
	if err != nil || len(owned) != 1 {
		return nil
	}
	e, _ := owned[0].(*entry[hpa])
	return e
}
