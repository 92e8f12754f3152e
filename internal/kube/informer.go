package kube

import (
	"context"
	"log/slog"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
)

// grace is how long callers wait for the first list of a resource, counted from
// when it was first needed. After it they go on without, until it comes.
const grace = 5 * time.Second

// informer keeps stripped copies of all objects of a resource.
type informer[T any] struct {
	shared cache.SharedIndexInformer
	health *health
	// synced is closed once the first list is in, and was heard of.
	synced <-chan struct{}
	// settled is closed once waiting for the first list is over, one way or the other.
	settled chan struct{}
}

// informerConfig is what an informer is made of.
type informerConfig[T any] struct {
	client dynamic.Interface
	gvr    schema.GroupVersionResource
	log    *slog.Logger
	now    func() time.Time
	strip  func(*unstructured.Unstructured) *entry[T]
	index  cache.Indexers
	// optional tells that the resource is not missed if it is refused.
	optional bool
	// changed, if set, hears of every change: old is nil for an addition, now
	// for a deletion.
	changed func(old, now *entry[T])
}

func newInformer[T any](c informerConfig[T]) (*informer[T], error) {
	log := c.log.With("resource", c.gvr.GroupResource().String())
	i := &informer[T]{health: newHealth(log, c.now), settled: make(chan struct{})}
	i.health.optional = c.optional
	source := newSource(c.client.Resource(c.gvr), c.strip, i.health)
	i.shared = cache.NewSharedIndexInformerWithOptions(source, &unstructured.Unstructured{}, cache.SharedIndexInformerOptions{
		Indexers:          c.index,
		ObjectDescription: c.gvr.String(),
	})
	if err := i.shared.SetTransform(func(obj any) (any, error) {
		if u, ok := obj.(*unstructured.Unstructured); ok {
			return c.strip(u), nil
		}
		return obj, nil
	}); err != nil {
		return nil, err
	}
	if err := i.shared.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		i.health.failed(err)
	}); err != nil {
		return nil, err
	}
	if c.changed == nil {
		i.synced = i.shared.HasSyncedChecker().Done()
		return i, nil
	}
	heard, err := i.shared.AddEventHandler(handler(c.changed))
	if err != nil {
		return nil, err
	}
	i.synced = heard.HasSyncedChecker().Done()
	return i, nil
}

// handler turns the events of a cache into changes.
func handler[T any](changed func(old, now *entry[T])) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) {
			if now, ok := obj.(*entry[T]); ok {
				changed(nil, now)
			}
		},
		UpdateFunc: func(before, after any) {
			old, _ := before.(*entry[T])
			if now, ok := after.(*entry[T]); ok {
				changed(old, now)
			}
		},
		DeleteFunc: func(obj any) {
			if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
				obj = gone.Obj
			}
			if old, ok := obj.(*entry[T]); ok {
				changed(old, nil)
			}
		},
	}
}

// run feeds the cache until ctx ends.
func (i *informer[T]) run(ctx context.Context) {
	settling := make(chan struct{})
	go func() {
		defer close(settling)
		defer close(i.settled)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-i.synced:
		case <-i.health.refused:
		case <-timer.C:
		case <-ctx.Done():
		}
	}()
	i.shared.RunWithContext(ctx)
	<-settling
}

// wait waits for the first list, for as long as that may take.
func (i *informer[T]) wait(ctx context.Context) {
	if !closed(i.settled) {
		select {
		case <-i.settled:
		case <-ctx.Done():
		}
	}
}

// usable tells that the cache holds what the API server has.
func (i *informer[T]) usable(now time.Time) bool {
	return closed(i.synced) && !i.health.stale(now)
}

// get returns an object, nil when it is not in the cache.
func (i *informer[T]) get(key string) *entry[T] {
	obj, ok, err := i.shared.GetIndexer().GetByKey(key)
	if !ok || err != nil {
		return nil
	}
	e, _ := obj.(*entry[T])
	return e
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
