package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// Manager is who owns the fields that the tests apply.
const Manager = "e2e"

// Objects applies manifests.
type Objects struct {
	dynamic dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
}

// NewObjects returns a client for manifests.
func NewObjects(config *rest.Config) (*Objects, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	kinds, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Objects{dynamic: client, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(kinds))}, nil
}

// Apply applies an object, as kubectl apply --server-side does. One of a namespaced
// kind that names no namespace goes to the given one.
func (o *Objects) Apply(ctx context.Context, namespace string, object *unstructured.Unstructured) error {
	client, err := o.client(namespace, object)
	if err != nil {
		return err
	}
	_, err = client.Apply(ctx, object.GetName(), object, metav1.ApplyOptions{FieldManager: Manager, Force: true})
	if err != nil {
		return fmt.Errorf("apply %s %q: %w", object.GetKind(), object.GetName(), err)
	}
	return nil
}

// Client returns the client for the kind of an object, in its namespace or else in
// the given one.
func (o *Objects) client(namespace string, object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := o.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) { // perhaps a kind that is new
		o.mapper.Reset()
		mapping, err = o.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, fmt.Errorf("kind %s: %w", kind.Kind, err)
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return o.dynamic.Resource(mapping.Resource), nil
	}
	if n := object.GetNamespace(); n != "" {
		namespace = n
	}
	return o.dynamic.Resource(mapping.Resource).Namespace(namespace), nil
}

// ApplyText applies all objects of a YAML text.
func (o *Objects) ApplyText(ctx context.Context, namespace, text string) error {
	all, err := Parse([]byte(text))
	if err != nil {
		return err
	}
	for _, object := range all {
		if err := o.Apply(ctx, namespace, object); err != nil {
			return err
		}
	}
	return nil
}

// DeleteText deletes all objects of a YAML text. One that is not there is no error.
func (o *Objects) DeleteText(ctx context.Context, namespace, text string) error {
	all, err := Parse([]byte(text))
	if err != nil {
		return err
	}
	for _, object := range all {
		client, err := o.client(namespace, object)
		if err != nil {
			return err
		}
		if err := client.Delete(ctx, object.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete %s %q: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// Parse returns the objects of a YAML text.
func Parse(text []byte) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("a manifest: %w", err)
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

// ParseFiles returns the objects of all files that match the patterns.
func ParseFiles(patterns ...string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, pattern := range patterns {
		files, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("no manifests in %s", pattern)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			objects, err := Parse(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			all = append(all, objects...)
		}
	}
	return all, nil
}
