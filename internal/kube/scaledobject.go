package kube

import (
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// KEDA's defaults and names.
const (
	defaultMax       = 100
	defaultHPAPrefix = "keda-hpa-"
	envSuffix        = "FromEnv"

	annotationPaused   = "autoscaling.keda.sh/paused"
	annotationReplicas = "autoscaling.keda.sh/paused-replicas"
	annotationScaleIn  = "autoscaling.keda.sh/paused-scale-in"
	annotationScaleOut = "autoscaling.keda.sh/paused-scale-out"
)

// scaledObject is what is read of a ScaledObject, with the keys of what it names.
type scaledObject struct {
	min, max  int
	triggers  int
	ours      []trigger
	paused    bool
	pausedIn  bool
	pausedOut bool

	hpaKey     string
	target     schema.GroupVersionResource
	targetName string
	targetKey  string
	targetText string
}

// trigger is an external trigger.
type trigger struct {
	metricType decision.MetricType
	// typeKnown is false for a metricType that is neither of the two.
	typeKnown bool
	// metadata lacks the keys that KEDA resolves from the environment.
	metadata map[string]string
}

// scaledObjectSpec and scaledObjectStatus are the fields of the resource.
type scaledObjectSpec struct {
	ScaleTargetRef struct {
		Name       string `json:"name"`
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	} `json:"scaleTargetRef"`
	MinReplicaCount *int64 `json:"minReplicaCount"`
	MaxReplicaCount *int64 `json:"maxReplicaCount"`
	Triggers        []struct {
		Type       string            `json:"type"`
		MetricType string            `json:"metricType"`
		Metadata   map[string]string `json:"metadata"`
	} `json:"triggers"`
	Advanced struct {
		HorizontalPodAutoscalerConfig struct {
			Name string `json:"name"`
		} `json:"horizontalPodAutoscalerConfig"`
	} `json:"advanced"`
}

type scaledObjectStatus struct {
	HPAName         string `json:"hpaName"`
	ScaleTargetGVKR struct {
		Group    string `json:"group"`
		Version  string `json:"version"`
		Kind     string `json:"kind"`
		Resource string `json:"resource"`
	} `json:"scaleTargetGVKR"`
}

// stripScaledObject keeps of a ScaledObject what is read of it.
func stripScaledObject(u *unstructured.Unstructured) *entry[scaledObject] {
	var spec scaledObjectSpec
	var status scaledObjectStatus
	decode(u.Object["spec"], &spec)
	decode(u.Object["status"], &status)

	so := scaledObject{max: defaultMax, triggers: len(spec.Triggers)}
	if spec.MinReplicaCount != nil {
		so.min = int(*spec.MinReplicaCount)
	}
	if spec.MaxReplicaCount != nil {
		so.max = int(*spec.MaxReplicaCount)
	}
	for _, t := range spec.Triggers {
		if t.Type == "external" || t.Type == "external-push" {
			so.ours = append(so.ours, newTrigger(t.MetricType, t.Metadata))
		}
	}
	annotations := u.GetAnnotations()
	_, replicas := annotations[annotationReplicas]
	so.paused = replicas || truthy(annotations, annotationPaused)
	so.pausedIn = truthy(annotations, annotationScaleIn)
	so.pausedOut = truthy(annotations, annotationScaleOut)

	so.hpaKey = cacheKey(u.GetNamespace(), hpaName(u.GetName(), &spec, &status))
	so.target = targetOf(&spec, &status)
	so.targetName = spec.ScaleTargetRef.Name
	so.targetKey = cacheKey(u.GetNamespace(), so.targetName)
	so.targetText = so.target.GroupResource().String() + "/" + so.targetName
	return newEntry(u, so)
}

// newTrigger keeps of a trigger what tells it from others.
func newTrigger(metricType string, metadata map[string]string) trigger {
	t := trigger{metadata: make(map[string]string, len(metadata))}
	for key, value := range metadata {
		if !strings.HasSuffix(key, envSuffix) {
			t.metadata[key] = value
		}
	}
	switch metricType {
	case "", decision.AverageValue.String():
		t.metricType, t.typeKnown = decision.AverageValue, true
	case decision.Value.String():
		t.metricType, t.typeKnown = decision.Value, true
	}
	return t
}

// is tells whether a call with this metadata is for the trigger. Keys that KEDA
// resolves from the environment are not compared: their values differ, and KEDA
// drops those it cannot resolve.
func (t *trigger) is(metadata map[string]string) bool {
	compared := 0
	for key, value := range metadata {
		if strings.HasSuffix(key, envSuffix) {
			continue
		}
		if own, ok := t.metadata[key]; !ok || own != value {
			return false
		}
		compared++
	}
	return compared == len(t.metadata)
}

// match is what the triggers with some metadata say.
type match struct {
	found      bool
	metricType decision.MetricType
	typeKnown  bool
	conflict   bool
}

// match compares every trigger: two may have the same metadata.
func (so *scaledObject) match(metadata map[string]string) match {
	var m match
	for i := range so.ours {
		t := &so.ours[i]
		switch {
		case !t.is(metadata):
		case !m.found:
			m = match{found: true, metricType: t.metricType, typeKnown: t.typeKnown}
		case m.metricType != t.metricType || m.typeKnown != t.typeKnown:
			m.conflict = true
		}
	}
	if m.conflict {
		m.metricType, m.typeKnown = decision.AverageValue, false
	}
	return m
}

// truthy reads an annotation as KEDA does: what is not a boolean counts as true.
func truthy(annotations map[string]string, key string) bool {
	text, ok := annotations[key]
	if !ok {
		return false
	}
	value, err := strconv.ParseBool(text)
	return err != nil || value
}

// hpaName returns the name of the HPA that KEDA made, or will make.
func hpaName(name string, spec *scaledObjectSpec, status *scaledObjectStatus) string {
	switch {
	case status.HPAName != "":
		return status.HPAName
	case spec.Advanced.HorizontalPodAutoscalerConfig.Name != "":
		return spec.Advanced.HorizontalPodAutoscalerConfig.Name
	}
	return defaultHPAPrefix + name
}

// targetOf returns the resource of the scale target, nothing where it can be none: its
// parts become parts of a path. KEDA writes it into the status, which counts unless the
// spec has been edited since.
func targetOf(spec *scaledObjectSpec, status *scaledObjectStatus) schema.GroupVersionResource {
	gvr := namedTarget(spec, status)
	if len(validation.IsDNS1123Label(gvr.Resource)) > 0 || len(validation.IsDNS1123Label(gvr.Version)) > 0 ||
		gvr.Group != "" && len(validation.IsDNS1123Subdomain(gvr.Group)) > 0 {
		return schema.GroupVersionResource{}
	}
	return gvr
}

func namedTarget(spec *scaledObjectSpec, status *scaledObjectStatus) schema.GroupVersionResource {
	ref := spec.ScaleTargetRef
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if ref.APIVersion == "" || err != nil {
		gv = schema.GroupVersion{Group: "apps", Version: "v1"}
	}
	kind := ref.Kind
	if kind == "" {
		kind = "Deployment"
	}
	told := status.ScaleTargetGVKR
	if told.Resource != "" && told.Kind == kind && told.Group == gv.Group && told.Version == gv.Version {
		return gv.WithResource(told.Resource)
	}
	guess, _ := meta.UnsafeGuessKindToResource(gv.WithKind(kind))
	return guess
}
