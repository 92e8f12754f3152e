package kube

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/pager"
)

const (
	// pageTimeout bounds one page of a list.
	pageTimeout = 30 * time.Second
	// watchMargin is how much longer than agreed a watch may last. A connection
	// that died without a word is noticed by it at the latest.
	watchMargin = 30 * time.Second
)

// classic is a ListerWatcher that lists and then watches. Streaming a list
// through a watch is newer than some API servers, and than proxies before them.
type classic struct{ *cache.ListWatch }

// IsWatchListSemanticsUnSupported tells the reflector so.
func (classic) IsWatchListSemanticsUnSupported() bool { return true }

// newSource returns how a resource is listed and watched.
func newSource[T any](client dynamic.ResourceInterface, strip func(*unstructured.Unstructured) *entry[T], h *health) cache.ListerWatcher {
	return classic{&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
			list, err := listAll(ctx, client, strip)
			h.note(err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
			w, err := watchFor(ctx, client, opts)
			h.note(err)
			return w, err
		},
	}}
}

// note takes in how a request went.
func (h *health) note(err error) {
	if err != nil {
		h.failed(err)
		return
	}
	h.ok()
}

// listAll lists in pages and strips each at once: a full list of pods, as the
// API server would give it from its cache, can be hundreds of megabytes. Pages
// are only given for the newest state, which is at least as new as whatever the
// reflector asks for.
func listAll[T any](ctx context.Context, client dynamic.ResourceInterface, strip func(*unstructured.Unstructured) *entry[T]) (runtime.Object, error) {
	pages := pager.New(func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
		ctx, cancel := context.WithTimeout(ctx, pageTimeout)
		defer cancel()
		page, err := client.List(ctx, opts)
		if err != nil {
			return nil, err
		}
		out := &internalversion.List{
			ListMeta: metav1.ListMeta{ResourceVersion: page.GetResourceVersion(), Continue: page.GetContinue()},
			Items:    make([]runtime.Object, len(page.Items)),
		}
		for i := range page.Items {
			out.Items[i] = strip(&page.Items[i])
		}
		return out, nil
	})
	list, _, err := pages.List(ctx, metav1.ListOptions{})
	return list, err
}

// watchFor watches for as long as the options say and a margin.
func watchFor(ctx context.Context, client dynamic.ResourceInterface, opts metav1.ListOptions) (watch.Interface, error) {
	cancel := context.CancelFunc(func() {})
	if opts.TimeoutSeconds != nil {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(*opts.TimeoutSeconds)*time.Second+watchMargin)
	}
	w, err := client.Watch(ctx, opts)
	if err != nil {
		cancel()
		return nil, err
	}
	return &boundedWatch{Interface: w, cancel: cancel}, nil
}

// boundedWatch is a watch that frees its timeout when it is stopped.
type boundedWatch struct {
	watch.Interface

	cancel context.CancelFunc
}

// Stop ends the watch.
func (w *boundedWatch) Stop() {
	w.Interface.Stop()
	w.cancel()
}
