package decision

import (
	"math"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// clipped is the load from which on the yield says little about the work: it
// cannot go below 0, whatever waits.
const clipped = 0.99

// ceil and floor forgive the noise of a few floating-point steps, so that
// 3.0000000001 workers are 3.
func ceil(x float64) float64  { return math.Ceil(x - float64(1e-9*max(1, x))) }
func floor(x float64) float64 { return math.Floor(x + float64(1e-9*max(1, x))) }

// crew keeps the harmonic mean of the workers over the lookback while it moves
// along the grid. A lookback of L averages the yield over (t-L, t]. With
// constant work the averaged load is work * mean(1/n), so load times the
// harmonic mean of n is the work, exactly, also while a step is settling.
type crew struct {
	workers *zmy.Series
	span    zmy.Tick // ticks in the lookback
	carry   zmy.Tick // how many ticks back the newest count may be taken from
	sum     float64  // of 1/n
	n       int
	newest  float64
	at      zmy.Tick // of newest
	seen    bool
}

func (p *Policy) crew(w *zmy.Window) crew {
	return crew{
		workers: w.Of(zmy.Workers),
		span:    zmy.Tick(max(1, p.Grid.StepsUp(p.Lookback))),
		carry:   zmy.Tick(p.Grid.Steps(p.MaxStaleness)),
	}
}

// lead is how many ticks before the first one asked for the crew must be walked.
func (c *crew) lead() zmy.Tick { return max(c.span-1, c.carry) }

// step moves the crew's lookback so that it ends at k. Steps are taken one by one.
func (c *crew) step(k, first zmy.Tick) {
	if s := c.workers.At(k); s.OK() && s.Value > 0 {
		c.sum += 1 / s.Value
		c.n++
		c.newest, c.at, c.seen = s.Value, k, true
	}
	if gone := k - c.span; gone >= first {
		if s := c.workers.At(gone); s.OK() && s.Value > 0 {
			c.sum -= 1 / s.Value
			if c.n--; c.n == 0 {
				c.sum = 0
			}
		}
	}
}

// size returns H at k for a load, and whether it is known. Where the whole
// lookback has no count, the newest one is taken if it is not stale.
func (c *crew) size(k zmy.Tick, load float64) (float64, bool) {
	switch {
	case c.seen && k-c.at <= max(c.carry, c.span-1) && (load >= clipped || c.n == 0):
		return c.newest, true
	case c.n > 0:
		return float64(c.n) / c.sum, true
	}
	return 0, false
}

// heaviest returns the largest work in [from, to], and H and the work at to. It
// reports false where the workers are unknown at a good yield in between.
func (p *Policy) heaviest(w *zmy.Window, from, to zmy.Tick) (most, workers, work float64, ok bool) {
	c := p.crew(w)
	yield := w.Of(zmy.Yield)
	first := from - c.lead()
	for k := first; k <= to; k++ {
		c.step(k, first)
		y := yield.At(k)
		if k < from || !y.OK() {
			continue
		}
		h, known := c.size(k, 1-y.Value)
		if !known {
			return 0, 0, 0, false
		}
		workers, work = h, float64((1-y.Value)*h)
		most = max(most, work)
	}
	return most, workers, work, true
}
