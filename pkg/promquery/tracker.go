package promquery

import (
	"context"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Ask is one request a [Tracker] wants made: all ticks from From to To.
type Ask struct {
	From, To zmy.Tick
	// Repair marks an ask for ticks that are known from partial answers only.
	Repair bool
}

// Len returns how many ticks the ask covers.
func (a Ask) Len() int { return int(a.To-a.From) + 1 }

// Tracker keeps the newest ticks of one query. It is not safe for concurrent
// use, and must always be used with one and the same grid.
type Tracker struct {
	query  string
	domain zmy.Domain
	series *zmy.Series
}

// NewTracker returns a tracker of the query that remembers the given number of
// ticks and judges values by the domain.
func NewTracker(query string, domain zmy.Domain, ticks int) *Tracker {
	return &Tracker{query: query, domain: domain, series: zmy.NewSeries(ticks)}
}

// Series returns what is known. The tracker goes on writing to it.
func (t *Tracker) Series() *zmy.Series { return t.series }

// Query returns the PromQL that is tracked.
func (t *Tracker) Query() string { return t.query }

// Plan returns what to ask next to know the window that ends at tick at, and
// false when there is nothing to ask. It changes nothing.
func (t *Tracker) Plan(at zmy.Tick) (Ask, bool) { return Ask{}, false }

// Fill takes the answer to an ask that Plan returned.
func (t *Tracker) Fill(ask Ask, answer Answer) error { return nil }

// Fail takes note that an ask was not answered.
func (t *Tracker) Fail(ask Ask) {}

// Update asks the source for what the window that ends at tick at lacks.
func (t *Tracker) Update(ctx context.Context, source Querier, grid zmy.Grid, at zmy.Tick) error {
	return nil
}
