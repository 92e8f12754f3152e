package promquery

import (
	"context"
	"fmt"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Update asks the source for what the window that ends at tick at lacks. In the
// long run that is one instant query per interval. An error leaves what was
// answered before it in place; the rest is asked for in the next round.
func (t *Tracker) Update(ctx context.Context, source Querier, grid zmy.Grid, at zmy.Tick) error {
	for {
		ask, more := t.Plan(at)
		if !more {
			return nil
		}
		if err := t.round(ctx, source, grid, ask); err != nil {
			t.Fail(ask)
			return err
		}
	}
}

func (t *Tracker) round(ctx context.Context, source Querier, grid zmy.Grid, ask Ask) error {
	answer, err := t.send(ctx, source, grid, ask)
	if err != nil {
		return err
	}
	if err := t.Fill(ask, answer); err != nil {
		return fmt.Errorf("query %q: %w", t.query, err)
	}
	return nil
}

func (t *Tracker) send(ctx context.Context, source Querier, grid zmy.Grid, ask Ask) (Answer, error) {
	from, to := grid.Time(ask.From), grid.Time(ask.To)
	if ask.Len() == 1 {
		return source.Instant(ctx, t.query, from)
	}
	return source.Range(ctx, t.query, from, to, grid.Interval())
}
