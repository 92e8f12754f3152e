package tune

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

// seed makes the search repeatable.
const seed = 1

// search is a search under way.
type search struct {
	space       *space
	train, test simulate.Loop
	progress    func(done, total int)
	total       int
	done        atomic.Int64

	known map[policy]*candidate
	found []*candidate // in the order in which they were made up
	// unusable is why a policy cannot be a trigger of this manifest; nil while all can.
	unusable error
}

// candidate is a policy that was tried.
type candidate struct {
	policy      policy
	metadata    map[string]string
	trigger     *trigger.Trigger
	train, test simulate.Result
}

func trained(c *candidate) simulate.Result { return c.train }

// parallel does n things side by side and returns the first error by number, so
// that it does not depend on who was faster.
func (s *search) parallel(ctx context.Context, n int, do func(i int) error) error {
	errs := make([]error, n)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				errs[i] = do(i)
				if done := s.done.Add(1); s.progress != nil {
					s.progress(int(done), s.total)
				}
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// candidate makes a trigger of a policy. There is none where other keys of the manifest
// do not go with it, such as an interval at which its delays are too long.
func (s *search) candidate(p policy) (*candidate, error) {
	c := &candidate{policy: p, metadata: s.space.metadata(p)}
	var err error
	if c.trigger, err = trigger.ParseManifest(c.metadata, s.space.server); err != nil {
		return c, fmt.Errorf("policy %+v: %w", p, err)
	}
	c.trigger.Trim()
	// What is replayed without was left out of the plan before.
	own := &s.space.plan.Trigger.Policy
	c.trigger.Policy.HasCPU, c.trigger.Policy.HasGuard = own.HasCPU, own.HasGuard
	return c, nil
}

// run replays a policy.
func (s *search) run(ctx context.Context, c *candidate, l simulate.Loop) (simulate.Result, error) {
	return simulate.Run(ctx, l, simulate.NewLaw(c.trigger, s.space.plan.MetricType, l.Demand.Start), nil)
}

// try replays policies on the first half and keeps them, but for unusable ones.
func (s *search) try(ctx context.Context, policies []policy) error {
	var fresh []*candidate
	for _, p := range policies {
		if s.known[p] != nil {
			continue
		}
		c, err := s.candidate(p)
		s.known[p] = c
		if err != nil {
			s.unusable = cmp.Or(s.unusable, err)
			continue
		}
		fresh = append(fresh, c)
	}
	err := s.parallel(ctx, len(fresh), func(i int) (err error) {
		fresh[i].train, err = s.run(ctx, fresh[i], s.train)
		return err
	})
	s.found = append(s.found, fresh...)
	return err
}

// policies searches, on a budget. It begins with policies whose band is as wide as the
// demand, with some that do about what the best plain triggers do, and with a few from
// anywhere in the space. All others are neighbours of the best policies so far.
func (s *search) policies(ctx context.Context, budget int, goals []goal, plains []*Plain) error {
	rng := rand.New(rand.NewPCG(seed, seed)) // repeatable, hence not crypto/rand
	first := s.space.wide(s.train.Demand.Busy)
	for _, p := range spread(plains, budget/15) {
		first = append(first, s.space.near(p)...)
	}
	for range budget / 20 {
		first = append(first, s.space.draw(rng))
	}
	if err := s.try(ctx, first[:min(len(first), budget)]); err != nil {
		return err
	}
	if len(s.found) == 0 {
		return s.unusable
	}
	for round, barren := 0, 0; len(s.found) < budget && barren < 20; round++ {
		before := len(s.found)
		if err := s.try(ctx, s.neighbours(rng, round, goals, budget-len(s.found))); err != nil {
			return err
		}
		if barren++; len(s.found) > before {
			barren = 0
		}
	}
	return nil
}

// A goal that is reached by so much is left alone, and one that is missed by so much
// is searched in one round of three only.
const (
	wellWithin = 0.98
	farOff     = 1.05
)

// several is of how many of the policies closest to a goal neighbours are tried.
const several = 6

// neighbours returns the next policies to try: for each goal two neighbours of policies
// that come closest to it, most often of the very closest.
func (s *search) neighbours(rng *rand.Rand, round int, goals []goal, most int) []policy {
	var next []policy
	for i, g := range goals {
		from := g.closest(s.found, several)
		miss := g.miss(from[0].train)
		if miss <= wellWithin && (round+i)%8 > 0 || miss > farOff && (round+i)%3 > 0 {
			continue
		}
		times := 2
		if i == 0 && miss > wellWithin {
			times += len(goals) / 3 // it is the one that matters most
		}
		for range times {
			parent := from[min(rng.IntN(len(from)), rng.IntN(len(from)))]
			if p, ok := s.unknown(rng, parent.policy); ok {
				next = append(next, p)
			}
		}
	}
	return next[:min(len(next), most)]
}

// unknown returns a neighbour of a policy that was not tried yet.
func (s *search) unknown(rng *rand.Rand, from policy) (policy, bool) {
	for range 8 {
		if p := s.space.vary(rng, from); s.known[p] == nil {
			return p, true
		}
	}
	return policy{}, false
}
