package hpa

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	core "k8s.io/api/core/v1"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// cases is how many random cases there are of each kind.
const cases = 150_000

// generator makes random cases. It looks for the edges: ratios at the
// tolerance, whole replicas, and numbers at the end of their range.
type generator struct {
	*rand.Rand
	ready            *core.Pod
	other, strangers []*core.Pod
}

func newGenerator(seed uint64) *generator {
	return &generator{rand.New(rand.NewPCG(seed, 1)), readyPod(), otherPods(), strangers()}
}

// count returns a number of replicas: small ones mostly, large ones too.
func (g *generator) count(least int) int {
	switch g.IntN(10) {
	case 0:
		return least
	case 1:
		return least + g.IntN(3000)
	case 2, 3, 4:
		return least + g.IntN(150)
	}
	return least + g.IntN(25)
}

func (g *generator) target() int64 {
	switch g.IntN(8) {
	case 0:
		return 1 + g.Int64N(10)
	case 1:
		return 1 + g.Int64N(math.MaxInt64)
	case 2:
		return 30000
	}
	return 1 + g.Int64N(100_000)
}

func (g *generator) tolerance() decision.Tolerance {
	one := func(most float64) float64 {
		switch g.IntN(5) {
		case 0:
			return 0
		case 1:
			return 0.1
		case 2:
			return float64(g.IntN(100)) / 100 * most
		}
		return g.Float64() * most
	}
	switch g.IntN(4) {
	case 0:
		return decision.Tolerance{Down: 0.1, Up: 0.1}
	case 1:
		t := one(0.5)
		return decision.Tolerance{Down: t, Up: t}
	}
	// Above 1 the API server takes it, and every shrinking is ignored.
	return decision.Tolerance{Down: one(1.2), Up: one(2)}
}

// usage returns what is used: at the edges for a target and some replicas, or
// anything at all.
func (g *generator) usage(target int64, n int, tol decision.Tolerance) int64 {
	near := func(x float64) int64 {
		if x >= math.MaxInt64/2 || x < 0 {
			return g.Int64N(math.MaxInt64)
		}
		return max(0, int64(x)+g.Int64N(5)-2)
	}
	t := float64(target)
	switch g.IntN(10) {
	case 0:
		return g.Int64N(math.MaxInt64)
	case 1:
		return [...]int64{0, 1, math.MaxInt64, math.MaxInt64 - 1, math.MaxInt32, 1 << 53, 1<<53 + 1}[g.IntN(7)]
	case 2:
		return near(t * (1 + tol.Up))
	case 3:
		return near(t * (1 - tol.Down))
	case 4:
		return near(t * float64(n) * (1 + tol.Up))
	case 5:
		return near(t * float64(n) * (1 - tol.Down))
	case 6:
		return near(t * float64(1+g.IntN(3*n+3)) / float64(n+1))
	case 7:
		return near(t * math.MaxInt32 / float64(n+1))
	}
	return near(t * g.Float64() * float64(2*n+2))
}

// split returns values that add up to the usage, as an adapter might give them.
func (g *generator) split(usage int64) []int64 {
	if g.IntN(4) > 0 {
		return []int64{usage}
	}
	var values []int64
	for range g.IntN(3) {
		part := g.Int64N(usage/2 + 1)
		values, usage = append(values, part), usage-part
	}
	return append(values, usage)
}

// pods returns pods of which so many count.
func (g *generator) pods(ready int) []*core.Pod {
	var all []*core.Pod
	for range g.IntN(12) {
		all = append(all, g.other[g.IntN(len(g.other))])
	}
	if len(all) == 0 && ready == 0 {
		all = append(all, g.other[0]) // without any pod there is an error instead of a number
	}
	for range ready {
		all = append(all, g.ready)
	}
	for range g.IntN(3) {
		all = append(all, g.strangers[g.IntN(len(g.strangers))])
	}
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// each runs a check on random cases, on all processors, and reports the first
// difference of each.
func each(t *testing.T, check func(*hpa, *generator) error) {
	t.Helper()
	const shares = 4
	errs := make([]error, shares)
	var wg sync.WaitGroup
	for i := range shares {
		wg.Go(func() {
			h, g := newHPA(), newGenerator(uint64(i))
			for range cases / shares {
				if errs[i] = check(h, g); errs[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	each(t, func(h *hpa, g *generator) error {
		target, tol := g.target(), g.tolerance()
		spec, ready := g.count(0), g.count(0)
		usage := g.usage(target, ready, tol)
		if spec == 0 && float64(usage)/float64(target) > math.MaxInt32-1 {
			spec = 1 // Kubernetes converts what does not fit an int32, which gives anything
		}
		h.metric.values, h.pods.all = g.split(usage), g.pods(ready)
		want, err := h.value(target, spec, tol)
		if err != nil {
			return err
		}
		if got := decision.HPAValue(usage, target, spec, ready, tol); got != want {
			return fmt.Errorf("usage %d, target %d, spec %d, ready %d, %+v: the model says %d, Kubernetes %d", usage, target, spec, ready, tol, got, want)
		}
		return nil
	})
}

func TestAverageValue(t *testing.T) {
	t.Parallel()
	each(t, func(h *hpa, g *generator) error {
		target, tol := g.target(), g.tolerance()
		status := g.count(0)
		usage := g.usage(target, status, tol)
		h.metric.values = g.split(usage)
		want, err := h.averageValue(target, status, tol)
		if err != nil {
			return err
		}
		if got := decision.HPAAverageValue(usage, target, status, tol); got != want {
			return fmt.Errorf("usage %d, target %d, status %d, %+v: the model says %d, Kubernetes %d", usage, target, status, tol, got, want)
		}
		return nil
	})
}
