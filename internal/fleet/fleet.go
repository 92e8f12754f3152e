package fleet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Config is what a fleet is made of.
type Config struct {
	// Start is the time of the first reading.
	Start time.Time
	// Replicas is how many workers there are at the start, all of them ready.
	Replicas int
	// StartDelay is how long a new worker takes to become ready.
	StartDelay time.Duration
	// Demand is how many busy workers the work asks for; none by default.
	Demand Curve
	// Noise is the standard deviation of the demand, relative to it, drawn
	// anew at every step; Seed makes it repeatable.
	Noise float64
	Seed  uint64
	// TaskTime is how long one task keeps a worker busy; 1 s by default.
	TaskTime time.Duration
	// IdleCPU and BusyCPU are the CPU that an idle and a busy worker use, over
	// the CPU it requested.
	IdleCPU, BusyCPU float64
}

// ErrConfig tells that a configuration makes no fleet.
var ErrConfig = errors.New("not a fleet")

func (c *Config) validate() error {
	switch {
	case c.Replicas < 0:
		return fmt.Errorf("%w: %d replicas", ErrConfig, c.Replicas)
	case c.StartDelay < 0:
		return fmt.Errorf("%w: a start delay of %v", ErrConfig, c.StartDelay)
	case c.TaskTime < 0:
		return fmt.Errorf("%w: a task time of %v", ErrConfig, c.TaskTime)
	case c.Noise < 0 || c.IdleCPU < 0 || c.BusyCPU < 0:
		return fmt.Errorf("%w: a negative noise or CPU", ErrConfig)
	}
	return nil
}

// Reading is the state of a fleet after a step.
type Reading struct {
	// At is the end of the step.
	At time.Time
	// Spec is how many workers are wanted, Ready how many of them can work.
	Spec, Ready int
	// Demand is how many busy workers the work that arrived in the step asked for.
	Demand float64
	// Load is the busy share of the workers that were ready in the step.
	Load float64
	// CPU is the CPU used over the CPU requested.
	CPU float64
	// Waiting is how many tasks wait.
	Waiting float64
	// Arrived and Done are the work since the start, and Backlog what waits of
	// it, in seconds of one worker: Arrived = Done + Backlog.
	Arrived, Done, Backlog float64
	// NextReady is how long the next worker to become ready still takes; zero
	// when none is starting.
	NextReady time.Duration
}

// Yield returns the idle share of the ready workers; ok is false without any.
func (r Reading) Yield() (yield float64, ok bool) { return 1 - r.Load, r.Ready > 0 }

// Fleet is a simulated fleet. It is safe for concurrent use.
type Fleet struct {
	cfg Config

	mu       sync.Mutex
	rng      *rand.Rand
	demand   Curve
	ready    int
	now      time.Duration   // of the last step, since the start
	starting []time.Duration // when each worker that is not ready becomes so, in order
	last     Reading
}

// New returns a fleet at its start.
func New(cfg Config) (*Fleet, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if cfg.TaskTime == 0 {
		cfg.TaskTime = time.Second
	}
	if cfg.Demand == nil {
		cfg.Demand = Steady(0)
	}
	f := &Fleet{
		cfg: cfg, demand: cfg.Demand, ready: cfg.Replicas,
		rng: rand.New(rand.NewPCG(cfg.Seed, 0)), // repeatable, hence not crypto/rand
	}
	f.last = Reading{At: cfg.Start, Spec: f.ready, Ready: f.ready, CPU: cfg.IdleCPU}
	return f, nil
}

// SetDemand replaces the demand from the last step on.
func (f *Fleet) SetDemand(c Curve) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.demand = c
}

// SetReplicas resizes the fleet at the time of the last step. A new worker
// becomes ready after the start delay. A removed one goes at once, the ones
// that are not ready first.
func (f *Fleet) SetReplicas(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n = max(n, 0)
	for f.ready+len(f.starting) < n {
		f.starting = append(f.starting, f.now+f.cfg.StartDelay)
	}
	if extra := f.ready + len(f.starting) - n; extra > 0 {
		unready := min(extra, len(f.starting))
		f.starting = slices.Delete(f.starting, len(f.starting)-unready, len(f.starting))
		f.ready -= extra - unready
	}
	f.last.Spec, f.last.Ready, f.last.NextReady = n, f.ready, f.nextReady()
}

// Read returns the newest reading.
func (f *Fleet) Read() Reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// Step lets the fleet work until now and returns the reading. A time that is not
// after the last step changes nothing.
func (f *Fleet) Step(now time.Time) Reading { return f.StepTo(now.Sub(f.cfg.Start)) }

// StepTo is [Fleet.Step] for a time since the start. Replays take many millions of
// steps, and arithmetic with times costs more than the work of a fleet.
func (f *Fleet) StepTo(now time.Duration) Reading {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now <= f.now {
		return f.last
	}
	r := &f.last
	r.Demand = f.draw(now)
	var capacity, done float64
	for from := f.now; from < now; {
		f.startUntil(from)
		to := now
		if len(f.starting) > 0 && f.starting[0] < now {
			to = f.starting[0]
		}
		seconds := (to - from).Seconds()
		able := float64(f.ready) * seconds
		arrived := float64(r.Demand * seconds)
		served := min(r.Backlog+arrived, able)
		capacity += able
		done += served
		r.Arrived += arrived
		r.Backlog = max(0, r.Backlog+arrived-served)
		from = to
	}
	f.startUntil(now)
	f.now = now
	r.Done += done
	r.Load = load(done, capacity, r.Backlog)
	r.CPU = f.cfg.IdleCPU + float64((f.cfg.BusyCPU-f.cfg.IdleCPU)*r.Load)
	r.Waiting = r.Backlog / f.cfg.TaskTime.Seconds()
	r.At, r.Ready = f.cfg.Start.Add(now), f.ready
	r.NextReady = f.nextReady()
	return *r
}

// nextReady returns how long after the last step a worker becomes ready.
func (f *Fleet) nextReady() time.Duration {
	if len(f.starting) == 0 {
		return 0
	}
	return f.starting[0] - f.now
}

// draw returns the demand of the step that ends at now.
func (f *Fleet) draw(now time.Duration) float64 {
	demand := f.demand(now)
	noise := 1.0
	if f.cfg.Noise > 0 {
		noise += f.cfg.Noise * f.rng.NormFloat64()
	}
	return max(0, demand*noise)
}

// startUntil makes the workers ready that have started by now.
func (f *Fleet) startUntil(now time.Duration) {
	for len(f.starting) > 0 && f.starting[0] <= now {
		f.starting = f.starting[1:]
		f.ready++
	}
}

// load is the busy share. Workers that became ready at the end of a step have
// not worked yet; they are busy from then on if something waits for them.
func load(done, capacity, backlog float64) float64 {
	switch {
	case capacity > 0:
		return min(1, done/capacity)
	case backlog > 0:
		return 1
	}
	return 0
}
