package engine

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// entry is one known trigger.
type entry struct {
	key       key
	namespace unique.Handle[string] // keeps the one copy of the key's
	metadata  map[string]string
	trig      *trigger.Trigger
	lane      *lane
	place     int // in the lane's list
	plans     [zmy.NumRoles]*plane.Query
	firstAsk  time.Time
	lastAsk   atomic.Int64 // Unix nanoseconds
	atZero    atomic.Int64 // newest instant the fleet was seen at zero; 0 for never
	watchers  atomic.Int64 // open streams

	// lastType is the metric type the ScaledObject had when it was last known.
	lastType atomic.Pointer[decision.MetricType]

	// ready is closed when the first evaluation has ended.
	ready chan struct{}

	// mu serialises evaluations; it guards the trackers, the window and what
	// follows it.
	mu       sync.Mutex
	trackers [zmy.NumRoles]*promquery.Tracker
	window   zmy.Window
	queries  []QueryState          // never changed, but replaced
	counts   decision.ReadyHistory // of ready replicas, where no query tells of them
	unseen   unseen
	last     zmy.Tick
	begun    bool // last is valid
	failing  bool // the last evaluation had queries that failed on their own

	// data guards the samples of the window and the history: an evaluation that
	// waits for a source must not keep readers waiting.
	data    sync.Mutex
	history history

	// verdict is the newest evaluation; nil before the first has ended.
	verdict atomic.Pointer[verdict]

	next bell // rings at each verdict
}

// verdict is what one evaluation found.
type verdict struct {
	decision decision.Decision
	// workers is the newest sample of replicasQuery.
	workers decision.Reading
	// queries is what was sent, and what came of it.
	queries []QueryState
	// cluster is what Kubernetes knew.
	cluster kube.View
}

// failure says why queries were not answered; it is empty when all were.
func (v *verdict) failure() string {
	var err error
	for i := range v.queries {
		err = errors.Join(err, v.queries[i].Err)
	}
	if err == nil {
		return ""
	}
	return err.Error()
}

// newestWorkers returns the newest sample of replicasQuery, however old.
func (en *entry) newestWorkers(at zmy.Tick) decision.Reading {
	return en.trig.Policy.Workers(&en.window, at)
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
	return f.Observed(workers)
}

// clear begins with an empty window.
func (en *entry) clear() {
	en.data.Lock()
	defer en.data.Unlock()
	en.window.Series = [zmy.NumRoles]*zmy.Series{}
	en.counts, en.unseen, en.begun = decision.ReadyHistory{}, unseen{}, false
	for i := range en.queries {
		role := en.queries[i].Role
		en.trackers[role] = promquery.NewTracker(en.queries[i].Text, role.Domain(), en.trig.Policy.Ticks())
		en.window.Series[role] = en.trackers[role].Series()
	}
}

// rewind forgets the window when the clock was put back by more than data may be old:
// else nothing would be decided until it shows that time again.
func (en *entry) rewind(at zmy.Tick) {
	p := &en.trig.Policy
	if en.begun && at < en.last-zmy.Tick(p.Grid.Steps(p.MaxStaleness)) {
		en.clear()
	}
}

// fill takes in the answer to an ask.
func (en *entry) fill(r ref, answer promquery.Answer) error {
	en.data.Lock()
	defer en.data.Unlock()
	return en.trackers[r.role].Fill(r.ask, answer)
}

// fail takes in that there was none.
func (en *entry) fail(r ref) {
	en.data.Lock()
	defer en.data.Unlock()
	en.trackers[r.role].Fail(r.ask)
}

// count takes in how many replicas are ready, where no query tells of them.
func (en *entry) count(ready decision.Count, at zmy.Tick) {
	en.data.Lock()
	defer en.data.Unlock()
	en.counts.Record(&en.trig.Policy, &en.window, ready, at)
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
	if en.verdict.Swap(v) == nil {
		close(en.ready)
	}
	en.next.ring()
}
