package kube

import (
	"sync"
)

// objectID names a ScaledObject.
type objectID struct{ namespace, name string }

// record is what is remembered of a ScaledObject that was looked at.
type record struct {
	id  objectID
	key string

	mu        sync.Mutex
	forgotten bool

	// gone tells that the API server has said, when it was last asked, that there is no
	// such object.
	gone bool

	// live is the newest answer to a GET of the ScaledObject.
	live live

	// target is where the scale comes from, counter where the ready pods do.
	targetID targetID
	target   target
	counter  *counter
}

// record returns the record of an object, made at its first look.
func (r *Reader) record(id objectID) *record {
	r.mu.RLock()
	rec, ok := r.records[id]
	r.mu.RUnlock()
	if ok {
		return rec
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if rec, ok = r.records[id]; !ok {
		rec = &record{id: id, key: cacheKey(id.namespace, id.name)}
		r.records[id] = rec
	}
	return rec
}

// Forget drops what is remembered of an object. To look at it again is then to
// look at it for the first time. Nothing is forgotten otherwise, so that whoever
// looks has to forget what is no longer asked about, found or not.
func (r *Reader) Forget(namespace, name string) {
	if r == nil {
		return
	}
	id := objectID{namespace: namespace, name: name}
	r.mu.Lock()
	rec, ok := r.records[id]
	delete(r.records, id)
	r.mu.Unlock()
	if !ok {
		return
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.forgotten = true
	r.unbind(rec)
}

// bind gets hold of the target of a ScaledObject. It returns nil, and true, when
// there is none to be had, and false when the record was forgotten meanwhile.
func (r *Reader) bind(rec *record, so *scaledObject) (target, bool) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.forgotten {
		return nil, false
	}
	id := targetID{gvr: so.target, namespace: rec.id.namespace, name: so.targetName}
	if rec.target != nil && rec.targetID == id {
		return rec.target, true
	}
	r.unbind(rec)
	if id.name == "" || id.gvr.Resource == "" {
		return nil, true
	}
	t, err := r.targets.acquire(id)
	if err != nil {
		r.log.Error("cannot watch a scale target", "target", so.targetText, "err", err)
		return nil, true
	}
	rec.targetID, rec.target = id, t
	return t, true
}

// bindPods gets hold of the counter of a target's pods.
func (r *Reader) bindPods(rec *record, s *scale) *counter {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.forgotten {
		return nil
	}
	if rec.counter != nil {
		if rec.counter.text == s.selectorText {
			return rec.counter
		}
		r.counts.release(rec.counter)
	}
	rec.counter = r.counts.acquire(rec.id.namespace, s)
	return rec.counter
}

// unbind lets go of what a record holds. The caller holds its lock.
func (r *Reader) unbind(rec *record) {
	if rec.target != nil {
		rec.target.release()
		rec.target = nil
	}
	if rec.counter != nil {
		r.counts.release(rec.counter)
		rec.counter = nil
	}
}
