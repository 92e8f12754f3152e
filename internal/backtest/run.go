package backtest

import (
	"context"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// Report is what came of a replay.
type Report struct {
	// From and To bound the time replayed, Steps is how many decisions it took.
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Steps int       `json:"steps"`
	// Metadata is the trigger's.
	Metadata map[string]string `json:"metadata"`
	Result   simulate.Result   `json:"result"`
	// Baseline is what KEDA's plain trigger does; nil unless asked for.
	Baseline *simulate.Result `json:"baseline,omitempty"`
	// Cost is nil unless there is a price.
	Cost *Cost `json:"cost,omitempty"`
	// Notes say what was not replayed.
	Notes []string `json:"notes,omitempty"`
	// Changes are all changes of spec.replicas.
	Changes []Change `json:"changes"`

	// What charts show, which no program needs.
	name     string
	plan     *Plan
	ours     trace
	baseline trace
}

// Cost is what the replicas cost.
type Cost struct {
	PerReplicaHour float64  `json:"perReplicaHour"`
	Result         float64  `json:"result"`
	Baseline       *float64 `json:"baseline,omitempty"`
}

// Change is a change of spec.replicas.
type Change struct {
	At     time.Time      `json:"at"`
	From   int            `json:"from"`
	To     int            `json:"to"`
	By     simulate.Actor `json:"by"`
	Band   string         `json:"band"`
	Reason string         `json:"reason"`
}

// Options change what [Run] does.
type Options struct {
	// Compare runs the baseline as well.
	Compare bool
	// CostPerReplicaHour is a price, 0 for none.
	CostPerReplicaHour float64
	// Progress hears which share is done; nil for nobody.
	Progress func(share float64)
}

// Run replays a demand. The error is the context's where that ends first.
func Run(ctx context.Context, p *Plan, l simulate.Loop, o Options) (*Report, error) {
	r := &Report{
		From: l.Demand.Start, To: l.Demand.End(), Metadata: p.Metadata, Notes: p.Notes, plan: p,
		name: p.Object.Name, Changes: []Change{},
	}
	r.ours = trace{progress: share(o.Progress, r, 0, 1)}
	if o.Compare {
		r.ours.progress = share(o.Progress, r, 0, 0.5)
		r.baseline.progress = share(o.Progress, r, 0.5, 0.5)
	}
	var err error
	if r.Result, err = simulate.Run(ctx, l, p.Ours(l.Demand.Start), &r.ours); err != nil {
		return nil, err
	}
	r.Steps = r.ours.ticks
	for _, c := range r.ours.changes {
		r.Changes = append(r.Changes, Change{At: c.At, From: c.From, To: c.To, By: c.By, Band: c.Band.String(), Reason: c.Reason.String()})
	}
	if o.Compare {
		b, err := simulate.Run(ctx, l, p.Baseline(), &r.baseline)
		if err != nil {
			return nil, err
		}
		r.Baseline = &b
	}
	r.price(o.CostPerReplicaHour)
	return r, nil
}

func (r *Report) price(perHour float64) {
	if perHour <= 0 {
		return
	}
	r.Cost = &Cost{PerReplicaHour: perHour, Result: perHour * r.Result.ReplicaHours}
	if r.Baseline != nil {
		r.Cost.Baseline = new(perHour * r.Baseline.ReplicaHours)
	}
}

// share turns the time of a moment into the share that is done.
func share(tell func(float64), r *Report, from, width float64) func(time.Time) {
	if tell == nil {
		return nil
	}
	return func(at time.Time) { tell(from + width*at.Sub(r.From).Seconds()/r.To.Sub(r.From).Seconds()) }
}
