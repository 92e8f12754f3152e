package simulate

import (
	"context"
	"errors"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/autoscaler"
	"github.com/infra-arch/zmy-scaler/internal/fleet"
	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Loop is everything but the one who decides.
type Loop struct {
	Demand Demand
	// StartDelay is how long a new worker takes to become ready.
	StartDelay time.Duration
	// Replicas is how many workers there are at the start, all of them ready.
	Replicas int

	// Min, Max, Idle, Polling, Cooldown and Behavior are the ScaledObject's.
	Min, Max          int
	Idle              *int
	Polling, Cooldown time.Duration
	Behavior          manifest.Behavior
	// Push tells that KEDA hears of a fleet that must wake at once, from a controller
	// that pushes.
	Push bool

	// Grid is when the fleet is sampled and decided on, QueryOffset how much
	// later than the sample the decision is.
	Grid        zmy.Grid
	QueryOffset time.Duration
	// Recorded is what was measured besides the demand; nil for nothing.
	Recorded *Recorded
}

// Recorded is what was measured of the fleet that really was, from tick First on.
type Recorded struct {
	First zmy.Tick
	// CPU, Workers, Wake and Guard hold one sample a tick, or none at all.
	CPU, Workers, Wake, Guard []zmy.Sample
}

// Controller is told what is sampled, and says how large the fleet should be.
type Controller interface {
	// Scraped takes the sample of tick k.
	Scraped(k zmy.Tick, s Scrape)
	// Decide decides on the samples up to tick k.
	Decide(k zmy.Tick, f decision.Fleet)
	// Metric is what the HPA reads.
	Metric(now time.Time, f decision.Fleet) autoscaler.Metric
	// Active is what KEDA's scale loop reads; failed where there is no answer.
	Active(now time.Time, f decision.Fleet) (active, failed bool)
	// Pushes reports whether the controller can tell KEDA anything unasked.
	Pushes() bool
	// Why says what the controller rests on, for people.
	Why() Why
}

// Why is what a controller rests on. The band and the reason are zero for one
// that has none.
type Why struct {
	Yield  zmy.Sample
	Band   decision.Band
	Reason decision.Reason
}

// Watcher is shown a run while it goes on.
type Watcher interface {
	// Tick is called after each decision.
	Tick(Moment)
	// Change is called for each change of spec.replicas.
	Change(Change)
}

// Moment is the state of a run.
type Moment struct {
	At time.Time
	// Demand is in busy workers, Waiting the work that waits, in seconds of one.
	Demand, Waiting float64
	Spec, Ready     int
	Why
}

// Change is a change of spec.replicas.
type Change struct {
	At       time.Time
	From, To int
	// By is who made it.
	By Actor
	Why
}

// Actor is who changes spec.replicas.
type Actor string

// The actors.
const (
	ByHPA  Actor = "HPA"
	ByKEDA Actor = "KEDA"
)

// ErrNoDemand is returned for a demand without a step.
var ErrNoDemand = errors.New("there is no demand to replay")

// turnsBetween is how many turns pass between two looks at the context.
const turnsBetween = 4096

// Run replays the demand. The watcher may be nil. The error is the context's where
// that ends first.
func Run(ctx context.Context, l Loop, c Controller, w Watcher) (Result, error) {
	r, err := start(l, c, w)
	if err != nil {
		return Result{}, err
	}
	end := l.Demand.End().Sub(l.Demand.Start)
	for n := 0; ; n++ {
		if n%turnsBetween == 0 && ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		// At one and the same time: sampled first, then decided, then asked for.
		next := min(r.scrape, r.decide, r.poll, r.sync)
		if next >= end {
			break
		}
		r.advance(next)
		switch next {
		case r.scrape:
			r.take()
		case r.decide:
			r.judge()
		case r.poll:
			r.look()
		default:
			r.turn()
		}
	}
	r.advance(end)
	return r.tally.result(), nil
}

// run is a run under way. Times are counted from the start of the demand.
type run struct {
	Loop

	control Controller
	watch   Watcher
	workers *fleet.Fleet
	last    fleet.Reading
	hpa     *autoscaler.HPA
	keda    autoscaler.Activation
	tally   tally

	now                        time.Duration
	busy                       float64       // the mean demand of what the fleet works through now
	scrape, decide, poll, sync time.Duration // when each is next
	tick, judged               zmy.Tick      // of the next scrape, of the next decision

	pushed   bool // what was pushed last: active or not
	pushedAt time.Duration
}

func start(l Loop, c Controller, w Watcher) (*run, error) {
	if len(l.Demand.Busy) == 0 || l.Demand.Step <= 0 {
		return nil, ErrNoDemand
	}
	l.Push = l.Push && c.Pushes()
	r := &run{
		Loop: l, control: c, watch: w,
		hpa:   autoscaler.NewHPA(l.Min, l.Max, l.Behavior),
		keda:  autoscaler.Activation{Min: l.Min, Idle: l.Idle, Cooldown: l.Cooldown, LastActive: l.Demand.Start},
		tally: tally{sum: Result{PeakReplicas: l.Replicas}},
		// At the start itself nothing has been worked on yet.
		tick: l.Grid.At(l.Demand.Start) + 1,
	}
	var err error
	if r.workers, err = fleet.New(fleet.Config{
		Start: l.Demand.Start, Replicas: l.Replicas, StartDelay: l.StartDelay,
		Demand: func(time.Duration) float64 { return r.busy },
	}); err != nil {
		return nil, err
	}
	r.last = r.workers.Read()
	r.judged = r.tick
	r.scrape = r.Grid.Time(r.tick).Sub(l.Demand.Start)
	r.decide = r.scrape + l.QueryOffset
	// The controllers' clocks have nothing to do with the grid. They are put
	// neither right behind a decision nor right before the next one.
	r.sync = r.decide + autoscaler.SyncPeriod/3
	r.poll = r.sync
	return r, nil
}
