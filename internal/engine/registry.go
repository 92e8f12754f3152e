package engine

import (
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unique"

	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Call identifies what KEDA asks for.
type Call struct {
	Namespace, Name string
	Metadata        map[string]string
}

// object is a ScaledObject.
type object struct{ namespace, name string }

// key is a trigger: KEDA tells no index, so that the metadata is its identity.
type key struct {
	object

	hash uint64
}

// heartbeat is when the loop's last round was. What has passed since is measured,
// whatever becomes of the wall's clock meanwhile.
type heartbeat struct{ last atomic.Pointer[time.Time] }

func (h *heartbeat) beat()                { h.last.Store(new(time.Now())) }
func (h *heartbeat) since() time.Duration { return time.Since(*h.last.Load()) }

// hash does not depend on the order of the map, so that nothing is sorted on
// the way of every call.
func hash(seed maphash.Seed, metadata map[string]string) uint64 {
	var sum uint64
	for k, v := range metadata {
		sum += maphash.String(seed, k)*31 ^ maphash.String(seed, v)
	}
	return sum
}

// find returns the entry of a call, if it is known, and notes that it was asked
// for, under the lock that keeps it from being forgotten meanwhile. Entries whose
// hashes collide stand at consecutive hashes.
func (e *Engine) find(c Call, watchers int64) (*entry, key) {
	k := key{object: object{c.Namespace, c.Name}, hash: hash(e.seed, c.Metadata)}
	e.mu.RLock()
	defer e.mu.RUnlock()
	for {
		en, ok := e.entries[k]
		if !ok {
			return nil, k
		}
		if maps.Equal(en.metadata, c.Metadata) {
			en.lastAsk.Store(e.cfg.Clock.Now().UnixNano())
			en.watchers.Add(watchers)
			return en, k
		}
		k.hash++
	}
}

// enter returns the entry of a call, and makes one for a call never seen before.
// It adds to the entry's watchers.
func (e *Engine) enter(c Call, watchers int64) (*entry, error) {
	if en, _ := e.find(c, watchers); en != nil {
		return en, nil
	}
	trig, err := e.admit(c)
	if err != nil {
		return nil, e.refused(c, err)
	}
	namespace := unique.Make(c.Namespace)
	c.Namespace = namespace.Value() // one copy for all of its triggers
	en, err := newEntry(c, trig, e.lanes[trig.Source], e.cfg.Clock.Now())
	if err != nil {
		return nil, err
	}
	en.namespace = namespace
	added, err := e.add(c, en, watchers)
	if added != en {
		en.release()
	}
	return added, err
}

// admit returns the trigger of a call that may be evaluated.
func (e *Engine) admit(c Call) (*trigger.Trigger, error) {
	trig, err := trigger.Parse(c.Metadata, e.Server())
	if err != nil {
		return nil, err
	}
	source, ok := e.cfg.Sources[trig.Source]
	if !ok {
		return nil, &UnknownSourceError{Source: trig.Source}
	}
	if !source.Allows(c.Namespace) {
		return nil, &ForbiddenSourceError{Source: trig.Source, Namespace: c.Namespace}
	}
	if source.EnforceLabel != "" {
		if err := trig.Confine(source.EnforceLabel, c.Namespace); err != nil {
			return nil, err
		}
	}
	return trig, nil
}

// add stores the entry, unless another call was faster, and starts its first
// evaluation.
func (e *Engine) add(c Call, en *entry, watchers int64) (*entry, error) {
	for {
		other, k := e.find(c, watchers)
		if other != nil {
			return other, nil
		}
		e.mu.Lock()
		if _, taken := e.entries[k]; taken {
			e.mu.Unlock()
			continue
		}
		if len(e.entries) >= e.max {
			e.mu.Unlock()
			return nil, &TooManyTriggersError{Max: e.max}
		}
		en.key = k
		en.watchers.Add(watchers)
		e.entries[k] = en
		en.lane.put(en)
		e.mu.Unlock()
		e.welcome(en)
		e.start(en)
		return en, nil
	}
}

// welcome logs a new trigger, and what its owner should know about it.
func (e *Engine) welcome(en *entry) {
	log := e.cfg.Log.With("namespace", en.key.namespace, "scaledObject", en.key.name, "metric", en.trig.MetricName)
	log.Debug("new trigger", "source", en.trig.Source)
	if e.cfg.Cluster == nil && en.trig.MetricTypeGiven && en.trig.MetricType == decision.Value {
		log.Warn("metricType Value without Kubernetes: the HPA may act on a ratio twice before replicasQuery shows what it did; AverageValue has no such risk")
	}
}

// all returns the entries in a fixed order.
func (e *Engine) all() []*entry {
	e.mu.RLock()
	all := slices.Collect(maps.Values(e.entries))
	e.mu.RUnlock()
	slices.SortFunc(all, func(a, b *entry) int {
		if c := strings.Compare(a.key.namespace, b.key.namespace); c != 0 {
			return c
		}
		if c := strings.Compare(a.key.name, b.key.name); c != 0 {
			return c
		}
		if c := strings.Compare(a.trig.MetricName, b.trig.MetricName); c != 0 {
			return c
		}
		return a.firstAsk.Compare(b.firstAsk)
	})
	return all
}

// newEntry returns the entry of a trigger with an empty window. The error is that
// of a query that cannot be read.
func newEntry(c Call, trig *trigger.Trigger, l *lane, now time.Time) (*entry, error) {
	en := &entry{
		metadata: maps.Clone(c.Metadata), trig: trig, lane: l, firstAsk: now,
		ready:  make(chan struct{}),
		window: zmy.Window{Grid: trig.Policy.Grid},
	}
	trig.Trim()
	en.lastAsk.Store(now.UnixNano())
	for i, query := range trig.Queries {
		if query == "" {
			continue
		}
		known, err := l.plane.Use(query)
		if err != nil {
			en.release()
			return nil, err
		}
		role := zmy.Role(i)
		trig.Queries[i] = known.Text() // one copy for all who ask the same
		en.plans[role] = known
		en.queries = append(en.queries, QueryState{Role: role, Text: known.Text()})
	}
	en.clear()
	return en, nil
}

// release ends the use of the entry's queries.
func (en *entry) release() {
	for _, q := range en.plans {
		if q != nil {
			en.lane.plane.Release(q)
		}
	}
}
