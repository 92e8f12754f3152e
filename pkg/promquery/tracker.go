package promquery

import (
	"fmt"

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

// Tracker keeps the newest ticks of one query. What to ask is decided by Plan
// and taken in by Fill and Fail, without any I/O; Update does the whole round.
//
// A window that grew live must equal one that was filled after a restart, so
// every tick that was not answered is asked for again while it is remembered,
// and what came with warnings is asked for again once the warnings have ended.
//
// A Tracker is not safe for concurrent use, and must always be used with one
// and the same grid.
type Tracker struct {
	query  string
	domain zmy.Domain
	series *zmy.Series
	// whole tells that nothing is lacking in the window that ends where the
	// series does, so that nothing need be looked for.
	whole bool
}

// NewTracker returns a tracker of the query that remembers the given number of
// ticks and judges values by the domain.
func NewTracker(query string, domain zmy.Domain, ticks int) *Tracker {
	return &Tracker{query: query, domain: domain, series: zmy.NewSeries(ticks)}
}

// Query returns the PromQL that is tracked.
func (t *Tracker) Query() string { return t.query }

// Series returns what is known. The tracker goes on writing to it.
func (t *Tracker) Series() *zmy.Series { return t.series }

// Plan returns what to ask next to know the window that ends at tick at, and
// false when there is nothing to ask. It changes nothing that can be seen. An ask
// covers at most [MaxPoints] ticks: go on planning until there is nothing left.
func (t *Tracker) Plan(at zmy.Tick) (Ask, bool) {
	end, begun := t.series.End()
	if begun && at < end {
		// Time went backwards: what is older than the window is gone for good.
		at = end
	}
	from := at - zmy.Tick(t.series.Len()) + 1
	if t.whole {
		from = max(from, end+1)
	}
	for k := from; k <= at; k++ {
		if t.series.At(k).State == zmy.Unasked {
			return page(Ask{From: k, To: at}), true
		}
	}
	if t.whole || t.series.At(at).Partial {
		// The warnings go on, or a repair has just failed: wait for better days.
		return Ask{}, false
	}
	for k := from; k < at; k++ {
		if t.series.At(k).Partial {
			return page(Ask{From: k, To: at - 1, Repair: true}), true
		}
	}
	t.whole = begun
	return Ask{}, false
}

func page(a Ask) Ask {
	a.To = min(a.To, a.From+MaxPoints-1)
	return a
}

// Fill takes the answer to an ask that Plan returned. It fails, and changes
// nothing, when the answer does not have one point per tick.
func (t *Tracker) Fill(ask Ask, answer Answer) error {
	if len(answer.Points) != ask.Len() {
		return fmt.Errorf("the answer has %d points for %d instants", len(answer.Points), ask.Len())
	}
	partial := len(answer.Warnings) > 0
	end, _ := t.series.End()
	t.whole = t.whole && !partial && ask.From <= end+1
	for i := range answer.Points {
		k := ask.From + zmy.Tick(i)
		if ask.Repair && partial && !t.series.At(k).Partial {
			continue // known from a whole answer already
		}
		t.series.Set(k, answer.Sample(i, t.domain))
	}
	if ask.Repair && partial {
		t.markNewest()
	}
	return nil
}

// Fail takes note that an ask was not answered.
func (t *Tracker) Fail(ask Ask) {
	if ask.Repair {
		t.markNewest()
	}
}

// markNewest makes the newest tick Partial, so that nobody takes a window with
// partial values in it for whole.
func (t *Tracker) markNewest() {
	t.whole = false
	if end, ok := t.series.End(); ok {
		v := t.series.At(end)
		v.Partial = true
		t.series.Set(end, v)
	}
}
