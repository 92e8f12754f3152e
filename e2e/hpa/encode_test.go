package hpa

import (
	"fmt"
	"math"
	"sync/atomic"
	"testing"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// TestEncodeValue feeds what the scaler tells under Value through Kubernetes'
// calculator: it computes the size that is wanted wherever some value makes it,
// and never one outside of what is there and what is wanted.
func TestEncodeValue(t *testing.T) {
	t.Parallel()
	var hit, none atomic.Int64
	each(t, func(h *hpa, g *generator) error {
		target, tol := 1+g.Int64N(99_999), g.fair()
		spec, ready, desired := g.count(1), g.count(0), g.count(1)
		if g.IntN(2) == 0 {
			ready = spec
		}
		h.pods.all = g.pods(ready)
		told := decision.EncodeValue(target, desired, spec, ready, tol)
		got, err := h.compute(told, func() (int, error) { return h.value(target, spec, tol) })
		if err != nil {
			return err
		}
		if got == desired {
			hit.Add(1)
			return nil
		}
		none.Add(1)
		say := func(problem string) error {
			return fmt.Errorf("target %d, desired %d, spec %d, ready %d, %+v: told %d, Kubernetes computes %d, %s", target, desired, spec, ready, tol, told, got, problem)
		}
		if (got-desired)*(got-spec) > 0 {
			return say("outside of both")
		}
		if ready == 0 {
			return nil // nothing times no pods is nothing
		}
		// All values that could give desired: from those that round up to it,
		// and no more than a few of them can be cut off by the tolerance.
		from, to := float64(target)*float64(desired-1)/float64(ready), float64(target)*float64(desired)/float64(ready)
		for _, v := range candidates(from, to, (1-tol.Down)*float64(target), (1+tol.Up)*float64(target)) {
			n, err := h.compute(v, func() (int, error) { return h.value(target, spec, tol) })
			if err != nil {
				return err
			}
			if n == desired {
				return say(fmt.Sprintf("and %d would give it", v))
			}
		}
		return nil
	})
	t.Logf("%d sizes reached, %d that no value reaches", hit.Load(), none.Load())
}

// TestEncodeAverageValue does the same for AverageValue, whose hold is not always
// a no-op: there what is wanted may be out of reach while pods surge.
func TestEncodeAverageValue(t *testing.T) {
	t.Parallel()
	var hit, none atomic.Int64
	each(t, func(h *hpa, g *generator) error {
		target, tol := 1+g.Int64N(99_999), g.fair()
		status, desired := g.count(1), g.count(1)
		told := decision.EncodeAverageValue(target, desired, decision.Known(status), tol)
		got, err := h.compute(told, func() (int, error) { return h.averageValue(target, status, tol) })
		if err != nil {
			return err
		}
		if got == desired {
			hit.Add(1)
			return nil
		}
		none.Add(1)
		all := float64(target) * float64(status)
		for _, v := range candidates(float64(target)*float64(desired-1), float64(target)*float64(desired), (1-tol.Down)*all, (1+tol.Up)*all) {
			n, err := h.compute(v, func() (int, error) { return h.averageValue(target, status, tol) })
			if err != nil {
				return err
			}
			if n == desired {
				return fmt.Errorf("target %d, desired %d, status %d, %+v: told %d, Kubernetes computes %d, and %d would give what is wanted", target, desired, status, tol, told, got, v)
			}
		}
		return nil
	})
	t.Logf("%d sizes reached, %d that no value reaches", hit.Load(), none.Load())
}

// fair returns a tolerance as people set it.
func (g *generator) fair() decision.Tolerance {
	tol := g.tolerance()
	return decision.Tolerance{Down: min(tol.Down, 0.5), Up: min(tol.Up, 0.5)}
}

func (h *hpa) compute(usage int64, replicas func() (int, error)) (int, error) {
	h.metric.values = []int64{usage}
	return replicas()
}

// candidates returns the whole numbers above 0 around each of the edges.
func candidates(edges ...float64) []int64 {
	var all []int64
	for _, e := range edges {
		for d := int64(-3); d <= 3; d++ {
			if v := int64(math.Floor(e)) + d; v > 0 {
				all = append(all, v)
			}
		}
	}
	return all
}
