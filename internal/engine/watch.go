package engine

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
)

// Watch is one open stream's view of a trigger. While it is open the trigger is
// not forgotten.
type Watch struct {
	engine *Engine
	entry  *entry
}

// Watch begins to watch a trigger; Close ends it. The errors are those of
// [Engine.Answer].
func (e *Engine) Watch(c Call) (*Watch, error) {
	en, err := e.enter(c, 1)
	if err != nil {
		return nil, err
	}
	return &Watch{engine: e, entry: en}, nil
}

// Answer is [Engine.Answer] for the watched trigger.
func (w *Watch) Answer(ctx context.Context) (Answer, error) {
	return w.engine.answer(ctx, w.entry)
}

// Changed returns a channel that is closed at the next evaluation. Take it
// before the answer, lest an evaluation in between be missed.
func (w *Watch) Changed() <-chan struct{} { return w.entry.next.next() }

// Close ends the watch.
func (w *Watch) Close() {
	w.entry.lastAsk.Store(w.engine.cfg.Clock.Now().UnixNano())
	w.entry.watchers.Add(-1)
}

// Status is one known trigger as it stands.
type Status struct {
	// Key identifies the trigger within this process.
	Key             string
	Namespace, Name string
	Answer

	// Asked is when it was last asked for; now, while somebody follows it.
	Asked time.Time
	// Err is why no answer can be composed at all.
	Err error
	// Age is how old the newest good yield is; valid with Decision.Yield.OK.
	Age time.Duration
}

// List returns the state of every known trigger that was evaluated, in a fixed
// order. It waits for nothing.
func (e *Engine) List() []Status {
	entries := e.all()
	list := make([]Status, 0, len(entries))
	for _, en := range entries {
		if s, ok := e.status(en); ok {
			list = append(list, s)
		}
	}
	return list
}

// SourceStatus is one source as it stands.
type SourceStatus struct {
	Name string
	plane.Stats
}

// Sources returns the state of every source, in the order of their names.
func (e *Engine) Sources() []SourceStatus {
	list := make([]SourceStatus, 0, len(e.lanes))
	for _, name := range slices.Sorted(maps.Keys(e.lanes)) {
		list = append(list, SourceStatus{name, e.lanes[name].plane.Stats()})
	}
	return list
}

// Len returns how many triggers are known.
func (e *Engine) Len() int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return len(e.entries)
}
