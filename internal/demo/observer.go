package demo

import (
	"sync"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/engine"
)

const (
	// sampleEvery is how often the histories of the live view take a sample,
	// and trailLen how many they keep.
	sampleEvery = 30 * time.Second
	trailLen    = 24
	// recentLen is how many of the newest entries are kept.
	recentLen = 5
)

// observer watches the scaler and the operators, and tells what has changed.
type observer struct {
	start    time.Time
	statuses func() []engine.Status
	// tell is called for every change, one at a time.
	tell func(entry)

	mu        sync.Mutex
	operators []*operator
	last      map[string]row
	report    Report
	trails    map[string]*trail
	sampled   time.Time
	recent    []entry
}

// trail is the history of a row: yields, below 0 where unknown, and replicas.
type trail struct{ yields, replicas []float64 }

func newObserver(start time.Time, statuses func() []engine.Status, tell func(entry)) *observer {
	return &observer{
		start: start, statuses: statuses, tell: tell,
		last: map[string]row{}, trails: map[string]*trail{},
	}
}

// add makes an operator one of those that are watched.
func (o *observer) add(op *operator) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.operators = append(o.operators, op)
	o.report.Fleets = append(o.report.Fleets, Seen{Fleet: op.name})
}

// rows says how every trigger stands.
func (o *observer) rows(now time.Time) []row {
	statuses := map[string]*engine.Status{}
	for _, s := range o.statuses() {
		if s.Trigger != nil {
			statuses[s.Name+"/"+s.Trigger.MetricName] = &s
		}
	}
	o.mu.Lock()
	operators := o.operators
	o.mu.Unlock()
	var rows []row
	for _, op := range operators {
		for i := range op.triggers {
			rows = append(rows, newRow(op.member, i, statuses[op.name+"/"+op.metric(i)], *op.plan.Load(), now))
		}
	}
	return rows
}

// why says how the first trigger of an operator stands.
func (o *observer) why(op *operator, now time.Time) row {
	for _, s := range o.statuses() {
		if s.Name == op.name && s.Trigger != nil && s.Trigger.MetricName == op.metric(0) {
			return newRow(op.member, 0, &s, *op.plan.Load(), now)
		}
	}
	return newRow(op.member, 0, nil, *op.plan.Load(), now)
}

// look tells what has changed since the last look, but for the sizes, which
// [observer.scaled] is told of.
func (o *observer) look(now time.Time) {
	rows := o.rows(now)
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range rows {
		last, seen := o.last[r.name]
		if r.band == "-" || seen && last.band == r.band && last.reason == r.reason {
			continue
		}
		o.last[r.name] = r
		o.enter(entry{at: now.Sub(o.start), row: r, from: r.spec, to: r.spec})
	}
	if now.Sub(o.sampled) < sampleEvery {
		return
	}
	o.sampled = now
	for _, r := range rows {
		t := o.trails[r.name]
		if t == nil {
			t = &trail{}
			o.trails[r.name] = t
		}
		t.add(r)
	}
}

func (t *trail) add(r row) {
	yield := -1.0
	if r.known {
		yield = r.yield
	}
	t.yields = tail(append(t.yields, yield), trailLen)
	t.replicas = tail(append(t.replicas, float64(r.spec)), trailLen)
}

// tail returns the last n items.
func tail[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// scaled takes note of a size that KEDA or the HPA has given a fleet. What comes
// next follows from the new size, all else from what it was scaled for.
func (o *observer) scaled(s scaling) {
	e, changed := event(s.from, s.to)
	if !changed && s.why.band != Hold.String() {
		return
	}
	r := s.why
	if changed {
		r.next = o.why(s.operator, s.at).next
	}
	if e == Woken || e == Inactive {
		r.band = e.String()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	at := s.at.Sub(o.start)
	for i := range o.report.Fleets {
		if o.report.Fleets[i].Fleet == s.name {
			o.report.Fleets[i].add(e, at)
		}
	}
	if changed {
		o.last[r.name] = r
		o.enter(entry{at: at, row: r, from: s.from, to: s.to})
	}
}

// failed takes note of a trigger that could not be asked, and tells of the first
// failure after an answer.
func (o *observer) failed(op *operator, now time.Time, err error) {
	r := o.why(op, now)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.report.Failed++
	if last := o.last[op.name]; last.reason == err.Error() {
		return
	}
	r.band, r.reason, r.next = "-", err.Error(), "the next try"
	o.last[op.name] = r
	o.enter(entry{at: now.Sub(o.start), row: r, from: r.spec, to: r.spec})
}

// enter tells an entry and keeps it. The observer's mu is held.
func (o *observer) enter(e entry) {
	o.recent = tail(append(o.recent, e), recentLen)
	o.tell(e)
}

// shown returns what there is to see at a time.
func (o *observer) shown(now time.Time) picture {
	p := picture{now: now.Sub(o.start), rows: o.rows(now)}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range p.rows {
		t := trail{}
		if kept := o.trails[r.name]; kept != nil {
			t = *kept
		}
		p.trails = append(p.trails, t)
	}
	p.recent = append(p.recent, o.recent...)
	return p
}

// finish returns the report of a demo that ran until now.
func (o *observer) finish(now time.Time, wall time.Duration) Report {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.report
	r.Fleets = append([]Seen(nil), r.Fleets...)
	r.Demo, r.Wall = now.Sub(o.start), wall
	return r
}
