package backtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Span is a stretch of history.
type Span struct {
	From, To time.Time
	// ReplicasQuery is PromQL for the workers that there were, for a trigger that
	// has no replicasQuery of its own.
	ReplicasQuery string
	// Progress hears which share is fetched; nil for nobody.
	Progress func(share float64)
}

// History is what was recorded of a fleet.
type History struct {
	// Demand is in busy workers, one number for each instant of the grid: the
	// work as the scaler estimates it.
	Demand   simulate.Demand
	Recorded simulate.Recorded
	// Unknown is how many instants had no usable yield or no workers; there the
	// demand before goes on. Clipped is how many had a load of 0.99 or more,
	// where the demand was this much at least.
	Unknown, Clipped int

	window      zmy.Window
	first, last zmy.Tick
}

// clipped is the load from which on it does not say how much work there is.
const clipped = 0.99

// ErrNothing is returned for a history without a single usable sample.
var ErrNothing = errors.New("the history has no instant with both a usable yield and workers")

// Fetch asks a source for all queries of a trigger, over the whole span and the
// window before it, in range queries of at most [promquery.MaxPoints] instants.
func Fetch(ctx context.Context, source promquery.Querier, p *Plan, s Span) (*History, error) {
	t := p.Trigger
	if !s.To.After(s.From) {
		return nil, fmt.Errorf("the history ends at %s and begins at %s", stamp(s.To), stamp(s.From))
	}
	queries := t.Queries
	if queries[zmy.Workers] == "" {
		queries[zmy.Workers] = s.ReplicasQuery
	}
	if queries[zmy.Workers] == "" {
		return nil, errors.New("the trigger has no replicasQuery: give PromQL for the workers that there were with --replicas-query")
	}
	if err := promquery.CheckQuery(queries[zmy.Workers]); err != nil {
		return nil, fmt.Errorf("--replicas-query: %w", err)
	}
	grid := t.Policy.Grid
	h := &History{window: zmy.Window{Grid: grid}, first: grid.At(s.From), last: grid.At(s.To)}
	if grid.Time(h.first).Before(s.From) {
		h.first++
	}
	length := int(h.last-h.first) + t.Policy.Ticks()
	if h.last < h.first || length > maxSteps {
		return nil, fmt.Errorf("the history has %d instants %v apart: at least one and at most %d can be replayed", int(h.last-h.first)+1, grid.Interval(), maxSteps)
	}
	counted := &counter{Querier: source, tell: s.Progress, total: length * count(queries)}
	for role, query := range queries {
		if query == "" {
			continue
		}
		tracker := promquery.NewTracker(query, zmy.Role(role).Domain(), length)
		if err := tracker.Update(ctx, counted, grid, h.last); err != nil {
			return nil, fmt.Errorf("%v: %w", zmy.Role(role), err)
		}
		h.window.Series[role] = tracker.Series()
	}
	return h, h.derive(p)
}

func count(queries [zmy.NumRoles]string) int {
	n := 0
	for _, q := range queries {
		if q != "" {
			n++
		}
	}
	return n
}

// counter tells how much of what is asked for was answered.
type counter struct {
	promquery.Querier

	tell        func(float64)
	done, total int
}

// Range implements [promquery.Querier].
func (c *counter) Range(ctx context.Context, query string, from, to time.Time, step time.Duration) (promquery.Answer, error) {
	a, err := c.Querier.Range(ctx, query, from, to, step)
	if c.done += len(a.Points); c.tell != nil {
		c.tell(float64(c.done) / float64(c.total))
	}
	return a, err
}

// Decisions makes the decisions of all instants anew, on the fleet as it was
// recorded. They are those that a scaler made that could not see Kubernetes and
// asked the same source.
func (h *History) Decisions(p *Plan, visit func(decision.Decision)) {
	policy := p.Trigger.Policy
	policy.HasWorkers = true // as far as a history goes
	seen := decision.Fleet{Tolerance: decision.Tolerance{Down: decision.DefaultTolerance, Up: decision.DefaultTolerance}}
	if p.Trigger.ToleranceGiven {
		seen.Tolerance = p.Trigger.Tolerance
	}
	for k := h.first; k <= h.last; k++ {
		visit(decision.Decide(&policy, &h.window, seen.Observed(policy.Workers(&h.window, k)), k))
	}
}

// derive makes a demand of what was recorded: the work of each decision.
func (h *History) derive(p *Plan) error {
	grid := h.window.Grid
	h.Demand = simulate.Demand{Start: grid.Time(h.first).Add(-grid.Interval()), Step: grid.Interval()}
	known := false
	last := 0.0
	h.Decisions(p, func(d decision.Decision) {
		at := grid.At(d.At)
		y, n := h.window.Of(zmy.Yield).At(at), h.window.Of(zmy.Workers).At(at)
		switch {
		case n.OK() && n.Value == 0:
			last, known = 0, true // nobody works; what waits is the wakeQuery's to tell
		case y.OK() && d.Workers > 0:
			last, known = d.Work, true
			if 1-y.Value >= clipped {
				h.Clipped++
			}
		default:
			h.Unknown++
		}
		h.Demand.Busy = append(h.Demand.Busy, last)
	})
	if !known {
		return ErrNothing
	}
	h.Recorded = simulate.Recorded{
		First: h.first, CPU: h.samples(zmy.CPU), Workers: h.samples(zmy.Workers), Wake: h.samples(zmy.Wake), Guard: h.samples(zmy.Guard),
	}
	return nil
}

// samples returns one sample an instant, nil for a role without a query.
func (h *History) samples(role zmy.Role) []zmy.Sample {
	series := h.window.Of(role)
	if series == nil {
		return nil
	}
	all := make([]zmy.Sample, 0, int(h.last-h.first)+1)
	for k := h.first; k <= h.last; k++ {
		all = append(all, series.At(k))
	}
	return all
}

// WithHistory returns the plan with what is to be known of a history.
func (p *Plan) WithHistory(h *History) *Plan {
	c := *p
	c.Notes = slices.Clone(p.Notes)
	total := len(h.Demand.Busy)
	if h.Unknown > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%d of %d instants have no usable yield or no workers: there the demand before goes on", h.Unknown, total))
	}
	if h.Clipped > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("at %d of %d instants the recorded fleet was saturated: the demand was at least what is replayed", h.Clipped, total))
	}
	if d := p.Trigger.Policy.Lookback; d > p.Trigger.Policy.Grid.Interval() {
		c.Notes = append(c.Notes, fmt.Sprintf("zmyQuery averages over %v, and the demand is as smooth as that", d))
	}
	return &c
}
