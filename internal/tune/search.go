package tune

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
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
}

// candidate is a policy that was tried.
type candidate struct {
	policy      policy
	metadata    map[string]string
	train, test simulate.Result
}

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

// run replays a policy.
func (s *search) run(c *candidate, l simulate.Loop) (simulate.Result, error) {
	t, err := trigger.ParseManifest(c.metadata, s.space.server)
	if err != nil {
		return simulate.Result{}, fmt.Errorf("policy %+v: %w", c.policy, err)
	}
	// What is replayed without was left out of the plan before.
	own := &s.space.plan.Trigger.Policy
	t.Policy.HasCPU, t.Policy.HasGuard = own.HasCPU, own.HasGuard
	return simulate.Run(l, simulate.NewLaw(t, s.space.plan.MetricType, l.Demand.Start), nil)
}

// try replays policies on the first half and keeps them.
func (s *search) try(ctx context.Context, policies []policy) error {
	var fresh []*candidate
	for _, p := range policies {
		if s.known[p] == nil {
			c := &candidate{policy: p, metadata: s.space.metadata(p)}
			s.known[p] = c
			fresh = append(fresh, c)
		}
	}
	err := s.parallel(ctx, len(fresh), func(i int) (err error) {
		fresh[i].train, err = s.run(fresh[i], s.train)
		return err
	})
	s.found = append(s.found, fresh...)
	return err
}

// policies searches, on a budget. It begins with some whose band is as wide as the
// demand, with policies from anywhere in the space, and with some near each plain
// trigger of the front. All others are
// neighbours of the best policies so far: for each goal, of the one that misses it
// by least. Goals that are well within reach are left alone.
func (s *search) policies(ctx context.Context, budget int, goals []goal, plains []*Plain) error {
	rng := rand.New(rand.NewPCG(seed, seed)) // repeatable, hence not crypto/rand
	first := s.space.wide(s.train.Demand.Busy)
	for range budget / 5 {
		first = append(first, s.space.draw(rng))
	}
	for i := 0; len(plains) > 0 && i < budget/8; i++ {
		first = append(first, s.space.near(rng, plains[i%len(plains)]))
	}
	if err := s.try(ctx, first[:min(len(first), budget)]); err != nil {
		return err
	}
	for barren := 0; len(s.found) < budget && barren < 20; {
		before := len(s.found)
		if err := s.try(ctx, s.neighbours(rng, goals, budget-len(s.found))); err != nil {
			return err
		}
		if barren++; len(s.found) > before {
			barren = 0
		}
	}
	return nil
}

// wellWithin is the miss from which on a goal is left alone: what is reached by so
// much in one half is likely to be reached in the other.
const wellWithin = 0.97

// neighbours returns the next policies to try. The first goal, the one that the
// recommended policy is to reach, has more of them than the others, and not of its
// best policy alone.
func (s *search) neighbours(rng *rand.Rand, goals []goal, most int) []policy {
	const several = 8
	var next []policy
	for i, g := range goals {
		byMiss := func(a, b *candidate) int { return cmp.Compare(g.miss(a.train), g.miss(b.train)) }
		if i == 0 {
			sorted := slices.SortedStableFunc(slices.Values(s.found), byMiss)
			for _, c := range sorted[:min(several, len(sorted))] {
				next = append(next, s.space.vary(rng, c.policy))
			}
			continue
		}
		if best := slices.MinFunc(s.found, byMiss); g.miss(best.train) > wellWithin || rng.IntN(8) == 0 {
			next = append(next, s.space.vary(rng, best.policy))
		}
	}
	return next[:min(len(next), most)]
}
