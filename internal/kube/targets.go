package kube

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// target is where the scale of one target is read from.
type target interface {
	// wait waits for the first answer.
	wait(ctx context.Context)
	// read returns the scale, nil when unknown.
	read(now time.Time) *scale
	// pods tells the version of the target's pods: when they come and go, so
	// did the scale before them.
	pods(version int64)
	// release ends the use of the target.
	release()
}

// targets holds an informer for each kind of target, and a poller for each
// target of a kind whose objects tell nothing that is known here.
type targets struct {
	client dynamic.Interface
	log    *slog.Logger
	now    func() time.Time
	life   *life

	mu        sync.Mutex
	workloads map[schema.GroupVersionResource]*informer[scale]
	others    map[schema.GroupVersionResource]*informer[struct{}]
	pollers   map[targetID]*poller
}

func newTargets(client dynamic.Interface, log *slog.Logger, now func() time.Time, l *life) *targets {
	return &targets{
		client: client, log: log, now: now, life: l,
		workloads: make(map[schema.GroupVersionResource]*informer[scale]),
		others:    make(map[schema.GroupVersionResource]*informer[struct{}]),
		pollers:   make(map[targetID]*poller),
	}
}

// acquire returns a target, and starts what feeds it. Release it when done.
func (t *targets) acquire(id targetID) (target, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if watched(id.gvr) {
		i, err := t.workload(id.gvr)
		if err != nil {
			return nil, err
		}
		return &workload{informer: i, key: cacheKey(id.namespace, id.name)}, nil
	}
	if err := t.watchOther(id.gvr); err != nil {
		return nil, err
	}
	p, ok := t.pollers[id]
	if !ok {
		log := t.log.With("resource", id.gvr.GroupResource().String()+"/scale", "namespace", id.namespace, "name", id.name)
		p = newPoller(id, t.client, newHealth(log, t.now), t.now)
		t.pollers[id] = p
		t.life.run(p.run)
	}
	p.refs++
	return &polled{poller: p, targets: t}, nil
}

// workload returns the informer of a kind, started when first needed. The caller
// holds the lock.
func (t *targets) workload(gvr schema.GroupVersionResource) (*informer[scale], error) {
	if i, ok := t.workloads[gvr]; ok {
		return i, nil
	}
	i, err := newInformer(informerConfig[scale]{
		client: t.client, gvr: gvr, log: t.log, now: t.now, strip: stripWorkload,
	})
	if err != nil {
		return nil, err
	}
	t.workloads[gvr] = i
	t.life.run(i.run)
	return i, nil
}

// watchOther watches a kind only to know when to ask for a scale again. It may
// well be forbidden; the pollers do without. The caller holds the lock.
func (t *targets) watchOther(gvr schema.GroupVersionResource) error {
	if _, ok := t.others[gvr]; ok {
		return nil
	}
	i, err := newInformer(informerConfig[struct{}]{
		client: t.client, gvr: gvr, log: t.log, now: t.now, strip: stripNothing, optional: true,
		changed: func(old, now *entry[struct{}]) { t.changed(gvr, old, now) },
	})
	if err != nil {
		return err
	}
	t.others[gvr] = i
	t.life.run(i.run)
	return nil
}

// changed wakes the poller of an object that has changed, if it has one.
func (t *targets) changed(gvr schema.GroupVersionResource, old, now *entry[struct{}]) {
	e := now
	if e == nil {
		e = old
	} else if old != nil && old.ResourceVersion == now.ResourceVersion {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p, ok := t.pollers[targetID{gvr: gvr, namespace: e.Namespace, name: e.Name}]; ok {
		p.refresh()
	}
}

// workload is a target that is read from a watched object.
type workload struct {
	*informer[scale]

	key string
}

func (w *workload) read(now time.Time) *scale {
	if !w.usable(now) {
		return nil
	}
	if e := w.get(w.key); e != nil {
		return &e.value
	}
	return nil
}

func (w *workload) pods(int64) {}

func (w *workload) release() {}

// polled is a target whose scale subresource is polled.
type polled struct {
	*poller

	targets *targets
}

func (p *polled) release() {
	t := p.targets
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.refs--; p.refs == 0 {
		close(p.stop)
		delete(t.pollers, p.id)
	}
}
