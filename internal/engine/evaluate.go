package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// deciders is how many entries of a round are looked at at the same time: Kubernetes
// may let one wait, when it is cold.
const deciders = 16

// evaluation brings the windows of entries of one lane up to their newest grid
// instant. Each entry is decided on as soon as all of its queries have ended.
type evaluation struct {
	e     *Engine
	lane  *lane
	begun time.Time

	asks []plane.Ask
	refs []ref // what the asks are for
	done chan *work
}

// work is one entry of an evaluation. Its entry is locked.
type work struct {
	en      *entry
	at      zmy.Tick
	pending int // roles with an ask that has not ended
	queries []QueryState
}

// ref is what an ask is for.
type ref struct {
	work *work
	role zmy.Role
	ask  promquery.Ask
}

// evaluate does so for the entries that are due and that nobody evaluates
// already. It returns when all of them have a verdict.
func (e *Engine) evaluate(ctx context.Context, l *lane, entries []*entry) {
	ev := &evaluation{e: e, lane: l, begun: time.Now()}
	now := e.cfg.Clock.Now().Add(-e.cfg.QueryOffset)
	all := make([]work, 0, len(entries))
	queries := 0
	for _, en := range entries {
		// A round does not queue behind a first evaluation that hangs.
		if !en.mu.TryLock() {
			continue
		}
		at := en.trig.Policy.Grid.At(now)
		en.rewind(at)
		if en.begun && at <= en.last {
			en.mu.Unlock()
			continue
		}
		all = append(all, work{en: en, at: at})
		queries += len(en.queries)
	}
	if len(all) == 0 {
		return
	}
	ev.done = make(chan *work, len(all))
	ev.asks, ev.refs = make([]plane.Ask, 0, queries), make([]ref, 0, queries)
	var group sync.WaitGroup
	for range min(deciders, len(all)) {
		group.Go(func() {
			for w := range ev.done {
				e.conclude(ctx, w, ev.begun)
			}
		})
	}
	group.Go(func() { e.warm(ctx, all) })
	for i := range all {
		ev.first(&all[i])
	}
	ev.run(ctx)
	close(ev.done)
	group.Wait()
	e.evaluated.ring()
}

// warm has Kubernetes looked at for entries that it was never asked about, beside
// the queries: that may take a request each.
func (e *Engine) warm(ctx context.Context, all []work) {
	if e.cfg.Cluster == nil {
		return
	}
	cold := make(chan *entry)
	var group sync.WaitGroup
	for range min(deciders, len(all)) {
		group.Go(func() {
			for en := range cold {
				e.cfg.Cluster.Look(ctx, en.key.namespace, en.key.name, en.metadata)
			}
		})
	}
	for i := range all {
		if en := all[i].en; en.verdict.Load() == nil {
			cold <- en
		}
	}
	close(cold)
	group.Wait()
}

// first asks what every window of an entry lacks.
func (ev *evaluation) first(w *work) {
	w.queries = w.en.queries
	for i := range w.queries {
		ev.ask(w, w.queries[i].Role)
	}
	if w.pending == 0 {
		ev.done <- w
	}
}

// ask plans the next ask of a role, if there is one.
func (ev *evaluation) ask(w *work, role zmy.Role) {
	ask, more := w.en.trackers[role].Plan(w.at)
	if !more {
		return
	}
	grid := w.en.window.Grid
	ev.asks = append(ev.asks, plane.Ask{
		Namespace: w.en.key.namespace, Query: w.en.plans[role],
		From: grid.Time(ask.From), To: grid.Time(ask.To), Step: grid.Interval(),
	})
	ev.refs = append(ev.refs, ref{w, role, ask})
	w.pending++
}

// run has all asks answered, and those that they give rise to.
func (ev *evaluation) run(ctx context.Context) {
	for len(ev.asks) > 0 {
		asks, refs := ev.asks, ev.refs
		ev.asks, ev.refs = nil, nil
		ev.lane.plane.Run(ctx, asks, func(i int, r plane.Result) {
			ev.take(refs[i], r)
			refs[i].work = nil
		})
		// An entry without a verdict would stay locked, and never be asked about again.
		for _, lost := range refs {
			if lost.work != nil {
				ev.take(lost, plane.Result{Err: plane.ErrNoTime})
			}
		}
	}
}

// take takes in the result of an ask.
func (ev *evaluation) take(r ref, res plane.Result) {
	w := r.work
	w.pending--
	err := res.Err
	if err == nil {
		err = w.en.fill(r, res.Answer)
	}
	w.note(r.role, res.Text, err)
	if err != nil {
		w.en.fail(r)
	} else {
		ev.ask(w, r.role)
	}
	if w.pending == 0 {
		ev.done <- w
	}
}

// note keeps what was sent for a role and what came of it. States that answers
// hold are not changed, but replaced.
func (w *work) note(role zmy.Role, sent string, err error) {
	i := slices.IndexFunc(w.queries, func(q QueryState) bool { return q.Role == role })
	was := w.queries[i]
	sent = cmp.Or(sent, was.Sent)
	if was.Sent == sent && was.Err == nil && err == nil {
		return
	}
	if &w.queries[0] == &w.en.queries[0] {
		w.queries = slices.Clone(w.queries)
	}
	w.queries[i].Sent, w.queries[i].Err = sent, err
}

// conclude decides for an entry whose queries have ended, and lets go of it.
func (e *Engine) conclude(ctx context.Context, w *work, begun time.Time) {
	en := w.en
	defer en.mu.Unlock()
	var view kube.View
	if e.cfg.Cluster != nil {
		view = e.cfg.Cluster.Look(ctx, en.key.namespace, en.key.name, en.metadata)
	}
	e.turn <- struct{}{}
	defer func() { <-e.turn }()
	en.last, en.begun, en.queries = w.at, true, w.queries
	v := &verdict{cluster: view, workers: en.newestWorkers(w.at), queries: w.queries}
	e.report(en, v, time.Since(begun))
	fleet := en.fleet(view, v.workers)
	if !en.trig.Policy.HasWorkers { // else Prometheus remembers what this process has not seen
		en.count(view.Fleet.Ready, w.at)
		fleet.UnseenScale = en.unseen.look(view, e.cfg.Clock.Now())
	}
	v.decision = decision.Decide(&en.trig.Policy, &en.window, fleet, w.at)
	en.sawZero(fleet, e.cfg.Clock.Now())
	e.remember(en, v)
	e.tell(en, en.verdict.Load(), v)
	en.publish(v)
}

// report counts an evaluation, and logs when an entry begins or ceases to fail on
// its own. What befalls all of a source is told once, of the source.
func (e *Engine) report(en *entry, v *verdict, took time.Duration) {
	result, own := Fetched, error(nil)
	for i := range v.queries {
		err := v.queries[i].Err
		if err == nil {
			continue
		}
		result = Failed
		if !shared(err) {
			own = errors.Join(own, err)
		}
	}
	e.cfg.Evaluated(result, took)
	if (own != nil) == en.failing || own == nil && result == Failed {
		return
	}
	en.failing = own != nil
	log := e.cfg.Log.With("namespace", en.key.namespace, "scaledObject", en.key.name, "metric", en.trig.MetricName, "source", en.trig.Source)
	if own != nil {
		log.Warn("queries fail", "error", own)
		return
	}
	log.Info("queries are answered again")
}

// shared reports whether an error says nothing about the query itself.
func shared(err error) bool {
	return errors.Is(err, plane.ErrNoTime) || errors.As(err, new(*plane.SharedError)) || errors.As(err, new(*plane.DownError))
}
