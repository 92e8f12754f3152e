package kube

import (
	"context"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// The key of a trigger's metadata that says where the workers are counted.
const replicasQuery = "replicasQuery"

// Look returns what is known of the trigger with the given metadata. Once warm
// it answers from memory. Before that it waits for the first answers of the API
// server, for some seconds and never longer than ctx allows; so it does, but
// rarely, when the ScaledObject seems to have changed before its watch told.
func (r *Reader) Look(ctx context.Context, namespace, name string, metadata map[string]string) View {
	if r == nil {
		return unknown()
	}
	for {
		rec := r.record(objectID{namespace: namespace, name: name})
		if view, ok := r.look(ctx, rec, metadata); ok {
			return view
		}
	}
}

// look is one try of Look. It returns false when the record was forgotten in the
// middle of it.
func (r *Reader) look(ctx context.Context, rec *record, metadata map[string]string) (View, bool) {
	so, m := r.find(ctx, rec, metadata)
	if so == nil {
		return r.absent(rec), true
	}
	t, ok := r.bind(rec, &so.value)
	if !ok {
		return View{}, false
	}
	var s *scale
	var k *counter
	if t != nil {
		t.wait(ctx)
		s = t.read(r.now())
	}
	if s != nil && s.selector != nil && needsReady(m, metadata) {
		if k = r.bindPods(rec, s); k == nil {
			return View{}, false
		}
		r.needPods()
		r.pods.wait(ctx)
		t.pods(k.version.Load())
	}
	r.hpas.wait(ctx)
	return r.assemble(rec, so, m, s, k), true
}

// find returns the ScaledObject, nil when there is none, and what its triggers
// say. The cache may lag behind an edit; then the object itself is asked for.
func (r *Reader) find(ctx context.Context, rec *record, metadata map[string]string) (*entry[scaledObject], match) {
	r.objects.wait(ctx)
	now := r.now()
	so, m := r.held(rec, metadata, now)
	if m.found || !r.objects.usable(now) {
		return so, m
	}
	r.ask(ctx, rec, r.objects.get(rec.key))
	return r.held(rec, metadata, r.now())
}

// held returns the newest ScaledObject in memory, and what its triggers say.
func (r *Reader) held(rec *record, metadata map[string]string, now time.Time) (*entry[scaledObject], match) {
	cached := r.objects.get(rec.key)
	rec.mu.Lock()
	so := rec.newest(cached, now)
	rec.mu.Unlock()
	if so == nil {
		return nil, match{}
	}
	return so, so.value.match(metadata)
}

// needsReady tells whether the ready pods matter: not where the workers are
// counted by a query and the HPA does not count the ready pods either. It spares
// large clusters the watch of all pods.
func needsReady(m match, metadata map[string]string) bool {
	if !m.typeKnown || m.metricType != decision.AverageValue {
		return true
	}
	return metadata[replicasQuery] == "" && metadata[replicasQuery+envSuffix] == ""
}

// absent is the view of an object that is not there, as far as known.
func (r *Reader) absent(rec *record) View {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	view := unknown()
	// The watch may lag behind: that there is none, the object's own request says.
	view.Known = r.objects.usable(r.now()) && rec.gone
	return view
}

// assemble makes a view of what was found.
func (r *Reader) assemble(rec *record, so *entry[scaledObject], m match, s *scale, k *counter) View {
	now := r.now()
	h := r.findHPA(so, rec.key)
	rec.mu.Lock()
	defer rec.mu.Unlock()

	rec.gone = false
	view := unknown()
	view.Found = true
	view.Known = r.objects.usable(now)
	view.UID = string(so.UID)
	view.MetricType, view.MetricTypeKnown, view.MetricTypeConflict = m.metricType, m.typeKnown, m.conflict
	view.Paused, view.PausedScaleIn, view.PausedScaleOut = so.value.paused, so.value.pausedIn, so.value.pausedOut
	view.Target = so.value.targetText

	fleet := &view.Fleet
	fleet.Min, fleet.Max = so.value.min, so.value.max
	fleet.Accompanied = so.value.triggers > 1
	if h != nil {
		view.HPA, view.LastScale = h.Name, h.value.lastScale
		fleet.Tolerance = h.value.tolerance
	}
	if s != nil {
		fleet.Spec, fleet.Status = s.spec, s.status
	}
	if k != nil && r.pods.usable(now) {
		fleet.Ready = decision.Known(int(k.n.Load()))
	}
	return view
}
