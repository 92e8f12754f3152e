package events

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/lru"
)

const (
	// burst and refill are how often an object is told about: so often at once, and
	// once more in each refill.
	burst  = 20
	refill = time.Minute
	// maxObjects is of how many objects that is remembered. Whoever reaches the port
	// can invent names; the least recent ones go first.
	maxObjects = 4096
)

// verdict is what the limits say.
type verdict uint8

const (
	tell verdict = iota
	// repeats: it was told, and lasts.
	repeats
	// tooMuch: the object has had its share.
	tooMuch
)

// objectID names a ScaledObject.
type objectID struct{ namespace, name string }

// state is something that lasts.
type state struct {
	reason Reason
	about  string
}

// allowance is what one object was told about.
type allowance struct {
	bucket *rate.Limiter
	told   map[state]time.Time
}

// limits keep what is told within bounds, and so is their memory: an object's
// states are as many at most as were told of it within [again].
type limits struct {
	mu      sync.Mutex
	objects *lru.Cache
}

func newLimits() *limits { return &limits{objects: lru.New(maxObjects)} }

// admit decides about an event, and takes it as told when it is to be.
func (l *limits) admit(e *Event, now time.Time) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.of(objectID{e.Namespace, e.Name})
	s := state{e.Reason, e.About}
	if last, ok := a.told[s]; ok && now.Sub(last) < again {
		return repeats
	}
	if !a.bucket.AllowN(now, 1) {
		return tooMuch
	}
	if e.Reason.kind().Lasts {
		a.remember(s, now)
	}
	return tell
}

// of returns the allowance of an object. The caller holds the lock.
func (l *limits) of(id objectID) *allowance {
	if a, ok := l.objects.Get(id); ok {
		return a.(*allowance)
	}
	a := &allowance{bucket: rate.NewLimiter(rate.Every(refill), burst), told: map[state]time.Time{}}
	l.objects.Add(id, a)
	return a
}

// remember takes a state as told, and forgets those that were told long ago.
func (a *allowance) remember(s state, now time.Time) {
	for other, at := range a.told {
		if now.Sub(at) >= again {
			delete(a.told, other)
		}
	}
	a.told[s] = now
}
