package tune

import (
	"context"

	"github.com/infra-arch/zmy-scaler/internal/backtest"
	"github.com/infra-arch/zmy-scaler/internal/simulate"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

// DefaultPolicies is how many policies are tried.
const DefaultPolicies = 800

// Options say what is searched.
type Options struct {
	// Policies is how many policies are tried; DefaultPolicies when 0.
	Policies int
	// Server is what triggers are parsed for.
	Server trigger.Server
	// Progress hears how many replays of how many are done; nil for nobody. It
	// may be called concurrently.
	Progress func(done, total int)
}

// Report is what was found.
type Report struct {
	// Baseline is KEDA's plain trigger as a user first writes it, in the second
	// half.
	Baseline simulate.Result `json:"baseline"`
	// Front are the policies that no other tried one is better than in
	// replica-hours, saturated minutes and changes, in the first half; a few
	// that come closest to each goal of the search; and the recommended one.
	Front []Point `json:"front"`
	// Recommended is an index of Front.
	Recommended int `json:"recommended"`
	// BaselineFront are the plain triggers that no other tried one is better than.
	BaselineFront []*Plain `json:"baselineFront"`
	// PlainEnough is an index of BaselineFront: a plain trigger that does about
	// what the recommended policy does; nil for none.
	PlainEnough *int `json:"plainEnough"`
	// BaselineTrain is the baseline in the first half, Tried how many policies
	// were tried, and Notes what was not replayed.
	BaselineTrain simulate.Result `json:"baselineTrain"`
	Tried         int             `json:"tried"`
	Notes         []string        `json:"notes,omitempty"`
}

// Point is a policy of the front.
type Point struct {
	// Metadata is what to paste.
	Metadata map[string]string `json:"metadata"`
	Train    simulate.Result   `json:"train"`
	Test     simulate.Result   `json:"test"`
}

// Run searches policies for a plan over the demand of a loop.
func Run(ctx context.Context, p *backtest.Plan, l simulate.Loop, o Options) (*Report, error) {
	if o.Policies <= 0 {
		o.Policies = DefaultPolicies
	}
	s := &search{space: newSpace(p, o.Server), known: map[policy]*candidate{}, progress: o.Progress}
	s.train, s.test = halves(p, l)
	r := &Report{Notes: p.Notes}
	var err error
	if r.BaselineTrain, err = simulate.Run(ctx, s.train, p.Baseline(), nil); err != nil {
		return nil, err
	}
	if r.Baseline, err = simulate.Run(ctx, s.test, p.Baseline(), nil); err != nil {
		return nil, err
	}
	plains := s.plains()
	s.total = len(plains) + o.Policies
	if r.BaselineFront, err = s.plainFront(ctx, plains); err != nil {
		return nil, err
	}
	wanted := goals(r.BaselineTrain, r.BaselineFront)
	if err := s.policies(ctx, o.Policies, wanted, r.BaselineFront); err != nil {
		return nil, err
	}
	r.Tried = len(s.found)
	chosen, err := s.recommend(ctx, r.BaselineTrain)
	if err != nil {
		return nil, err
	}
	best := worth(s.found, wanted, chosen)
	if err := s.judge(ctx, best); err != nil {
		return nil, err
	}
	for i, c := range best {
		if c == chosen {
			r.Recommended = i
		}
		r.Front = append(r.Front, Point{Metadata: c.metadata, Train: c.train, Test: c.test})
	}
	r.PlainEnough = r.enough()
	return r, nil
}

// halves returns the loops of the two halves of the demand.
func halves(p *backtest.Plan, l simulate.Loop) (train, test simulate.Loop) {
	train, test = l, l
	train.Demand, test.Demand = l.Demand.Halves()
	train.Replicas, test.Replicas = p.Begin(train.Demand), p.Begin(test.Demand)
	return train, test
}

// plainFront tries the plain triggers on the first half and judges the best ones
// on the second.
func (s *search) plainFront(ctx context.Context, all []*Plain) ([]*Plain, error) {
	err := s.parallel(ctx, len(all), func(i int) (err error) {
		all[i].Train, err = s.runPlain(ctx, all[i], s.train)
		return err
	})
	if err != nil {
		return nil, err
	}
	best := front(all, func(p *Plain) simulate.Result { return p.Train })
	s.total += len(best)
	err = s.parallel(ctx, len(best), func(i int) (err error) {
		best[i].Test, err = s.runPlain(ctx, best[i], s.test)
		return err
	})
	return best, err
}

// judge replays the best policies on the second half.
func (s *search) judge(ctx context.Context, best []*candidate) error {
	s.total += len(best)
	return s.parallel(ctx, len(best), func(i int) (err error) {
		best[i].test, err = s.run(ctx, best[i], s.test)
		return err
	})
}
