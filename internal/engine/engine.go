package engine

import (
	"context"
	"hash/maphash"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Limits of an engine.
const (
	// ForgetAfter is how long a trigger is kept that nobody asks for.
	ForgetAfter = 10 * time.Minute
	// MaxTriggers bounds how many triggers are kept at the same time, since
	// whoever reaches the port can invent them.
	MaxTriggers = 200_000
)

// Source is one configured source.
type Source struct {
	promquery.Querier
	// Allows reports whether triggers of a namespace may use it.
	Allows func(namespace string) bool
	// EnforceLabel, where set, is the label that must have the trigger's namespace
	// on all series that its queries see.
	EnforceLabel string
	// MaxConcurrency is how many requests it may be sent at the same time.
	MaxConcurrency int
}

// Cluster tells what Kubernetes knows. [kube.Reader] is the one that does it.
type Cluster interface {
	Look(ctx context.Context, namespace, name string, metadata map[string]string) kube.View
	Forget(namespace, name string)
}

// Config is what an engine is made of.
type Config struct {
	// Interval is the server's grid.
	Interval time.Duration
	// Timeout bounds one round of queries, on the wall's clock.
	Timeout time.Duration
	// QueryOffset is how far in the past everything is evaluated.
	QueryOffset time.Duration
	Sources     map[string]Source
	// Cluster is nil when Kubernetes is off.
	Cluster Cluster
	// Events is nil when nobody is told.
	Events Events
	Clock  clock.Clock
	Log    *slog.Logger
	// Evaluated is told how each evaluation ended and how long it took.
	Evaluated func(Result, time.Duration)
}

// Result is how an evaluation ended.
type Result string

// The results of evaluations.
const (
	// Fetched: every query was answered.
	Fetched Result = "ok"
	// Failed: a query was not answered, and the window has a hole for now.
	Failed Result = "error"
)

// Engine evaluates triggers and answers for them. Make one with [New] and let it
// [Engine.Run].
type Engine struct {
	cfg  Config
	base zmy.Grid

	seed maphash.Seed
	max  int

	lanes map[string]*lane // by the name of their source

	mu      sync.RWMutex
	entries map[key]*entry

	// turn has room for as many as may decide at the same time. A round decides on
	// thousands, and half of the processors go on answering calls meanwhile.
	turn chan struct{}

	life  context.Context // of first evaluations; ends with Run
	end   context.CancelFunc
	first sync.WaitGroup // first evaluations under way
	heart heartbeat
	// evaluated rings when triggers have been evaluated.
	evaluated bell
	noWait    context.Context // is over already: look at what is known, wait for nothing
}

// New returns an engine. It does nothing until asked; it stops with ctx.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	base, err := zmy.NewGrid(cfg.Interval)
	if err != nil {
		return nil, err
	}
	if cfg.Evaluated == nil {
		cfg.Evaluated = func(Result, time.Duration) {}
	}
	if cfg.Events == nil {
		cfg.Events = silence{}
	}
	e := &Engine{
		cfg: cfg, base: base, seed: maphash.MakeSeed(), max: MaxTriggers, lanes: newLanes(cfg), entries: map[key]*entry{},
		turn: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
	}
	e.life, e.end = context.WithCancel(ctx)
	over, cancel := context.WithCancel(ctx)
	cancel()
	e.noWait = over
	e.heart.beat()
	return e, nil
}

// Server is what parsing a trigger needs to know.
func (e *Engine) Server() trigger.Server { return trigger.Server{Interval: e.cfg.Interval} }

// Run evaluates all triggers at every instant of the grid until ctx ends. After a
// round that took until the next instant, that one's turn is at once.
func (e *Engine) Run(ctx context.Context) error {
	defer e.first.Wait()
	defer e.end()
	last := e.newest()
	for {
		if at := e.newest(); at == last {
			next := e.base.Time(at + 1).Add(e.cfg.QueryOffset)
			timer := e.cfg.Clock.NewTimer(next.Sub(e.cfg.Clock.Now()))
			select {
			case <-ctx.Done():
				timer.Stop()
				return nil
			case <-timer.C:
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		last = e.newest()
		e.forget()
		e.round(ctx)
		e.heart.beat()
	}
}

// newest returns the instant of the grid that is evaluated now.
func (e *Engine) newest() zmy.Tick { return e.base.At(e.cfg.Clock.Now().Add(-e.cfg.QueryOffset)) }

// Alive reports whether the loop runs: its last round is not long overdue. It
// says nothing about what the loop depends on.
func (e *Engine) Alive() bool {
	allowed := e.cfg.Clock.Wall(3*e.cfg.Interval+e.cfg.QueryOffset) + 2*e.cfg.Timeout
	return e.heart.since() < allowed
}

// forget drops triggers that nobody has asked for in a while.
func (e *Engine) forget() {
	oldest := e.cfg.Clock.Now().Add(-ForgetAfter).UnixNano()
	e.mu.Lock()
	var gone []*entry
	kept := map[object]bool{}
	for k, en := range e.entries {
		if en.watchers.Load() == 0 && en.lastAsk.Load() < oldest {
			delete(e.entries, k)
			en.lane.drop(en)
			gone = append(gone, en)
			continue
		}
		kept[k.object] = true
	}
	e.mu.Unlock()
	for _, en := range gone {
		en.release()
		e.cfg.Log.Debug("trigger forgotten", "namespace", en.key.namespace, "scaledObject", en.key.name, "metric", en.trig.MetricName)
		if e.cfg.Cluster != nil && !kept[en.key.object] {
			e.cfg.Cluster.Forget(en.key.namespace, en.key.name)
		}
	}
}
