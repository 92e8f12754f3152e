package promquery_test

import (
	"context"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// asker is the half of a Querier that a single query needs.
type asker interface {
	Instant(ctx context.Context, query string, at time.Time) (promquery.Answer, error)
	Range(ctx context.Context, query string, from, to time.Time, step time.Duration) (promquery.Answer, error)
}

// tracked is a tracker and the query that it keeps, asked alone.
type tracked struct {
	*promquery.Tracker

	query string
}

func track(query string, domain zmy.Domain, ticks int) tracked {
	return tracked{promquery.NewTracker(domain, ticks), query}
}

// update asks for what the window that ends at tick at lacks, until nothing does
// or a request fails.
func (t tracked) update(ctx context.Context, source asker, grid zmy.Grid, at zmy.Tick) error {
	for {
		ask, more := t.Plan(at)
		if !more {
			return nil
		}
		from, to := grid.Time(ask.From), grid.Time(ask.To)
		var answer promquery.Answer
		var err error
		if ask.Len() == 1 {
			answer, err = source.Instant(ctx, t.query, from)
		} else {
			answer, err = source.Range(ctx, t.query, from, to, grid.Interval())
		}
		if err == nil {
			err = t.Fill(ask, answer)
		}
		if err != nil {
			t.Fail(ask)
			return err
		}
	}
}
