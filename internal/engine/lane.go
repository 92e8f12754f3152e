package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
)

// The first evaluation of a new trigger waits for others: after a restart KEDA asks
// for all of them within moments. It waits longer, up to maxGathering, the more of
// such evaluations are under way.
const (
	gathering    = 5 * time.Millisecond
	maxGathering = 50 * time.Millisecond
)

// lane is everything that concerns one source. Lanes do not wait for one another.
type lane struct {
	name   string
	source Source
	plane  *plane.Plane

	// entries are the lane's, guarded by the engine's mu. An entry knows its place.
	entries []*entry

	mu        sync.Mutex
	arrivals  []*entry // that wait for their first evaluation
	welcoming int      // first evaluations under way

	down bool // the plane took the source to be down after the last round
}

// newLanes returns a lane for each source.
func newLanes(cfg Config) map[string]*lane {
	lanes := make(map[string]*lane, len(cfg.Sources))
	for name, source := range cfg.Sources {
		lanes[name] = &lane{name: name, source: source, plane: plane.New(plane.Options{
			Querier: source.Querier, Limits: plan.DefaultLimits(),
			MaxConcurrency: source.MaxConcurrency, Interval: cfg.Clock.Wall(cfg.Interval),
		})}
	}
	return lanes
}

// put adds an entry. The caller holds the engine's mu.
func (l *lane) put(en *entry) {
	en.place = len(l.entries)
	l.entries = append(l.entries, en)
}

// drop takes an entry out. The caller holds the engine's mu.
func (l *lane) drop(en *entry) {
	last := len(l.entries) - 1
	moved := l.entries[last]
	l.entries[en.place], moved.place = moved, en.place
	l.entries[last] = nil
	l.entries = l.entries[:last]
}

// start has a new entry evaluated in the background, together with others that
// come at the same time. It belongs to no call: others may be waiting for it too.
func (e *Engine) start(en *entry) {
	l := en.lane
	l.mu.Lock()
	defer l.mu.Unlock()
	l.arrivals = append(l.arrivals, en)
	if len(l.arrivals) > 1 {
		return
	}
	l.welcoming++
	wait := min(time.Duration(l.welcoming)*gathering, maxGathering)
	e.first.Go(func() { e.firstRound(l, wait) })
}

// firstRound evaluates everybody who arrives in a while.
func (e *Engine) firstRound(l *lane, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.life.Done():
	}
	l.mu.Lock()
	entries := l.arrivals
	l.arrivals = nil
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(e.life, e.cfg.Timeout)
	defer cancel()
	e.evaluate(ctx, l, entries)
	l.mu.Lock()
	l.welcoming--
	l.mu.Unlock()
}

// round evaluates every trigger whose grid has a new instant. The sources go
// side by side, so that one that hangs takes nobody else's time.
func (e *Engine) round(ctx context.Context) {
	// A round that outlasts the interval would delay the next one of all sources.
	ctx, cancel := context.WithTimeout(ctx, min(e.cfg.Timeout, e.cfg.Interval))
	defer cancel()
	var sources sync.WaitGroup
	for _, l := range e.lanes {
		e.mu.RLock()
		entries := slices.Clone(l.entries)
		e.mu.RUnlock()
		sources.Go(func() {
			e.evaluate(ctx, l, entries)
			e.watchSource(l)
		})
	}
	sources.Wait()
}

// watchSource logs when a source is given up, and when it is back.
func (e *Engine) watchSource(l *lane) {
	was := l.down
	l.down = l.plane.Stats().Down
	switch {
	case l.down && !was:
		e.cfg.Log.Warn("a source does not answer: it gets one probe an interval until it does", "source", l.name)
	case was && !l.down:
		e.cfg.Log.Info("a source answers again", "source", l.name)
	}
}
