package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// liveEvery bounds how often one ScaledObject is asked for directly. The time
	// doubles, up to liveRarely, while that tells nothing that the cache did not.
	liveEvery  = 5 * time.Second
	liveRarely = 5 * time.Minute
	// liveTimeout is how long a caller waits for it.
	liveTimeout = 2 * time.Second
	// liveFor is how long the answer may stand in for the cache. A cache that
	// has not caught up by then knows better: the object has gone again.
	liveFor = 30 * time.Second
)

// live is an answer to a GET of a ScaledObject, asked for because the cache did
// not know the trigger that was asked about.
type live struct {
	// done is closed when the answer is there; nil before the first GET.
	done chan struct{}
	at   time.Time
	// every is how long it is good for.
	every time.Duration
	// basis is what the cache held then.
	basis *entry[scaledObject]
	// answered is false while, and if, there is no answer.
	answered bool
	// so is nil when the object does not exist.
	so *entry[scaledObject]
}

// newest returns the newer one of the cache's object and the live one, nil when
// there is none. The caller holds the lock.
func (rec *record) newest(cached *entry[scaledObject], now time.Time) *entry[scaledObject] {
	l := &rec.live
	if !l.answered || now.Sub(l.at) > liveFor {
		return cached
	}
	if cached == l.basis {
		return l.so
	}
	if cached != nil && l.so != nil && newer(l.so.ResourceVersion, cached.ResourceVersion) {
		return l.so
	}
	return cached
}

// newer compares resource versions, which are decimal numbers of any length.
func newer(a, b string) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

// ask asks for the ScaledObject itself, unless that was done just now. It waits
// for an answer that is under way. Who cannot wait does not ask, and keeps nobody else from it.
func (r *Reader) ask(ctx context.Context, rec *record, cached *entry[scaledObject]) {
	if ctx.Err() != nil {
		return
	}
	now := r.now()
	rec.mu.Lock()
	if l := &rec.live; l.done != nil && now.Sub(l.at) < l.every {
		done := l.done
		rec.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
		}
		return
	}
	done := make(chan struct{})
	every := liveEvery
	if rec.live.done != nil && rec.live.basis == cached {
		every = min(2*rec.live.every, liveRarely)
	}
	rec.live = live{done: done, at: now, every: every, basis: cached}
	rec.mu.Unlock()

	so, err := r.getScaledObject(ctx, rec.id)
	rec.mu.Lock()
	defer rec.mu.Unlock()
	defer close(done)
	if err == nil {
		rec.live.answered, rec.live.so = true, so
		rec.gone = so == nil
	}
}

// getScaledObject reads one ScaledObject, nil when there is none.
func (r *Reader) getScaledObject(ctx context.Context, id objectID) (*entry[scaledObject], error) {
	ctx, cancel := context.WithTimeout(ctx, liveTimeout)
	defer cancel()
	u, err := r.client.Resource(scaledObjects).Namespace(id.namespace).Get(ctx, id.name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return stripScaledObject(u), nil
}
