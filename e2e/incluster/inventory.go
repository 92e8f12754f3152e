package incluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
)

// Object says which object it is.
type Object struct {
	Kind            schema.GroupVersionResource
	Namespace, Name string
}

// String is for people.
func (o Object) String() string {
	return fmt.Sprintf("%s %s/%s", o.Kind.GroupResource(), o.Namespace, o.Name)
}

// Inventory is what is on a cluster, with the labels of each object.
type Inventory map[Object]map[string]string

// Inventory lists every object of every kind, but Events and Leases, which come and
// go by themselves, and metrics, which are no objects.
func (c *Cluster) Inventory(ctx context.Context) (Inventory, error) {
	client, err := metadata.NewForConfig(c.Config())
	if err != nil {
		return nil, err
	}
	kinds, err := c.client.Discovery().ServerPreferredResources()
	if err != nil {
		return nil, fmt.Errorf("the kinds of the cluster: %w", err)
	}
	all := Inventory{}
	for _, list := range kinds {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, r := range list.APIResources {
			if !slices.Contains(r.Verbs, "list") || passing(group.Group, r.Name) {
				continue
			}
			if err := all.add(ctx, client, group.WithResource(r.Name)); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func passing(group, resource string) bool {
	return resource == "events" || resource == "leases" || group == "metrics.k8s.io" || group == "external.metrics.k8s.io"
}

// add lists the objects of a kind.
func (i Inventory) add(ctx context.Context, client metadata.Interface, kind schema.GroupVersionResource) error {
	list, err := client.Resource(kind).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
		return nil // a kind that was removed meanwhile, or one without objects
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", kind.GroupResource(), err)
	}
	for _, o := range list.Items {
		i[Object{kind, o.Namespace, o.Name}] = o.Labels
	}
	return nil
}

// Since returns what was not there before, in order.
func (i Inventory) Since(before Inventory) []Object {
	fresh := maps.Clone(i)
	maps.DeleteFunc(fresh, func(o Object, _ map[string]string) bool { _, was := before[o]; return was })
	return slices.SortedFunc(maps.Keys(fresh), func(a, b Object) int { return strings.Compare(a.String(), b.String()) })
}
