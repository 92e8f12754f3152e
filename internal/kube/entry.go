package kube

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// entry is what a cache holds of an object: who it is, and the few things that
// are read of it. It is never changed once made.
type entry[T any] struct {
	metav1.ObjectMeta

	value T
}

// newEntry copies the identity of an object. Labels, annotations and the like
// are dropped, since one object can carry kilobytes of them.
func newEntry[T any](u *unstructured.Unstructured, value T) *entry[T] {
	return &entry[T]{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       u.GetNamespace(),
			Name:            u.GetName(),
			UID:             u.GetUID(),
			ResourceVersion: u.GetResourceVersion(),
		},
		value: value,
	}
}

// GetObjectKind implements runtime.Object, which caches ask for.
func (e *entry[T]) GetObjectKind() schema.ObjectKind { return schema.EmptyObjectKind }

// DeepCopyObject implements runtime.Object. An entry never changes, so that it
// can stand for its own copy.
func (e *entry[T]) DeepCopyObject() runtime.Object { return e }

// decode fills a small struct of ours from a part of an object. A part that is
// missing, or not what its schema says, leaves the struct as far as it got.
func decode(part any, into any) bool {
	fields, ok := part.(map[string]any)
	if !ok {
		return false
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(fields, into) == nil
}

// cacheKey is the key under which caches hold an object.
func cacheKey(namespace, name string) string { return namespace + "/" + name }
