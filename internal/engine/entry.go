package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// entry is one known trigger.
type entry struct {
	key      key
	metadata map[string]string
	trig     *trigger.Trigger
	firstAsk time.Time
	lastAsk  atomic.Int64 // Unix nanoseconds
	atZero   atomic.Int64 // newest instant the fleet was seen at zero; 0 for never
	watchers atomic.Int64 // open streams

	// lastType is the metric type the ScaledObject had when it was last known.
	lastType atomic.Pointer[decision.MetricType]

	// ready is closed when the first evaluation has ended.
	ready chan struct{}

	// mu serialises evaluations; it guards the trackers, the window and what
	// follows it.
	mu       sync.Mutex
	trackers [zmy.NumRoles]*promquery.Tracker
	window   zmy.Window
	counts   decision.ReadyHistory // of ready replicas, where no query tells of them
	last     zmy.Tick
	begun    bool // last is valid
	failing  bool // the last evaluation had failed queries

	// verdict is the newest evaluation; nil before the first has ended.
	verdict atomic.Pointer[verdict]

	nextMu sync.Mutex
	next   chan struct{} // closed at the next verdict
}

// verdict is what one evaluation found.
type verdict struct {
	decision decision.Decision
	// workers is the newest sample of replicasQuery.
	workers decision.Reading
	// failure is why queries were not answered; empty when all were.
	failure string
	// cluster is what Kubernetes knew.
	cluster kube.View
}

// start evaluates a new entry in the background. It belongs to no call: others
// may be waiting for it too.
func (e *Engine) start(en *entry) {
	e.first.Go(func() {
		defer close(en.ready)
		ctx, cancel := context.WithTimeout(e.life, e.cfg.Timeout)
		defer cancel()
		// A round may have been faster: then its verdict is waited for.
		en.mu.Lock()
		defer en.mu.Unlock()
		e.evaluate(ctx, en)
	})
}

// evaluate brings the windows of an entry up to its newest grid instant and
// decides. It does nothing where that was done already. The caller holds en.mu.
func (e *Engine) evaluate(ctx context.Context, en *entry) {
	grid := en.trig.Policy.Grid
	at := grid.At(e.cfg.Clock.Now().Add(-e.cfg.QueryOffset))
	if en.begun && at <= en.last {
		return
	}
	begun := time.Now()
	var view kube.View
	var looking sync.WaitGroup
	if e.cfg.Cluster != nil {
		looking.Go(func() { view = e.cfg.Cluster.Look(ctx, en.key.namespace, en.key.name, en.metadata) })
	}
	err := en.fetch(ctx, e.cfg.Sources[en.trig.Source], at)
	looking.Wait()
	en.last, en.begun = at, true
	e.report(en, err, time.Since(begun))

	v := &verdict{cluster: view, workers: en.trig.Policy.Workers(&en.window, at)}
	if err != nil {
		v.failure = err.Error()
	}
	if !en.trig.Policy.HasWorkers {
		en.counts.Record(&en.trig.Policy, &en.window, view.Fleet.Ready, at)
	}
	fleet := en.fleet(view, v.workers)
	v.decision = decision.Decide(&en.trig.Policy, &en.window, fleet, at)
	en.sawZero(fleet, e.cfg.Clock.Now())
	e.tell(en, en.verdict.Load(), v)
	en.publish(v)
}

// fetch updates all windows of the entry, side by side.
func (en *entry) fetch(ctx context.Context, source promquery.Querier, at zmy.Tick) error {
	errs := make([]error, zmy.NumRoles)
	var queries sync.WaitGroup
	for role, tracker := range en.trackers {
		if tracker != nil {
			queries.Go(func() { errs[role] = tracker.Update(ctx, source, en.window.Grid, at) })
		}
	}
	queries.Wait()
	return errors.Join(errs...)
}

// report counts an evaluation, and logs when an entry begins or ceases to fail.
func (e *Engine) report(en *entry, err error, took time.Duration) {
	log := e.cfg.Log.With("namespace", en.key.namespace, "scaledObject", en.key.name, "metric", en.trig.MetricName, "source", en.trig.Source)
	switch {
	case err != nil && !en.failing:
		log.Warn("queries fail", "error", err)
	case err == nil && en.failing:
		log.Info("queries are answered again")
	}
	en.failing = err != nil
	result := Fetched
	if err != nil {
		result = Failed
	}
	e.cfg.Evaluated(result, took)
}

// fleet puts together what Kubernetes knows and, where it does not know the
// count, what replicasQuery said last.
func (en *entry) fleet(view kube.View, workers decision.Reading) decision.Fleet {
	f := view.Fleet
	if f.Tolerance == (decision.Tolerance{}) && !view.Known {
		f.Tolerance = decision.Tolerance{Down: decision.DefaultTolerance, Up: decision.DefaultTolerance}
	}
	if en.trig.ToleranceGiven {
		f.Tolerance = en.trig.Tolerance
	}
	if en.trig.Policy.HasWorkers {
		// Prometheus remembers what this process has not seen.
		f.UnseenScale = time.Time{}
	}
	return f.Observed(workers)
}

// sawZero notes when the fleet was last seen without replicas.
func (en *entry) sawZero(f decision.Fleet, now time.Time) {
	switch {
	case !f.Spec.Known || f.Spec.N > 0:
	case f.SpecAt.IsZero():
		en.atZero.Store(now.UnixNano())
	default:
		en.atZero.Store(f.SpecAt.UnixNano())
	}
}

// zeroSince returns the newest instant the fleet was seen at zero, or the zero time.
func (en *entry) zeroSince() time.Time {
	if ns := en.atZero.Load(); ns != 0 {
		return time.Unix(0, ns)
	}
	return time.Time{}
}

// publish makes a verdict the newest one and wakes the streams.
func (en *entry) publish(v *verdict) {
	en.verdict.Store(v)
	en.nextMu.Lock()
	defer en.nextMu.Unlock()
	close(en.next)
	en.next = make(chan struct{})
}

// changed returns a channel that is closed at the next verdict.
func (en *entry) changed() <-chan struct{} {
	en.nextMu.Lock()
	defer en.nextMu.Unlock()
	return en.next
}
