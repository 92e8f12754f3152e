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
	coming, going zmy.Walk // over the counts that enter the lookback, and leave it
	span          zmy.Tick // ticks in the lookback
	carry         zmy.Tick // how many ticks back the newest count may be taken from
	sum           float64  // of 1/n
	n             int
	mean          float64 // n / sum
	newest        float64
	at            zmy.Tick // of newest
	seen          bool
}

// crew returns the workers on their way to from: as many ticks before it as are
// needed to know them there. It returns the tick to begin with.
func (p *Policy) crew(w *zmy.Window, from zmy.Tick) (crew, zmy.Tick) {
	c := crew{
		span:  zmy.Tick(max(1, p.Grid.StepsUp(p.Lookback))),
		carry: zmy.Tick(p.Grid.Steps(p.MaxStaleness)),
	}
	first := from - max(c.span-1, c.carry)
	c.coming, c.going = w.Of(zmy.Workers).Walk(first), w.Of(zmy.Workers).Walk(first)
	return c, first
}

// step moves the crew's lookback so that it ends at k. Steps are taken one by one,
// from first on.
func (c *crew) step(k, first zmy.Tick) {
	in, out := c.coming.Next(), zmy.Sample{}
	if k-c.span >= first {
		out = c.going.Next()
	}
	enters, leaves := in.OK() && in.Value > 0, out.OK() && out.Value > 0
	if enters {
		c.newest, c.at, c.seen = in.Value, k, true
	}
	if enters == leaves && in.Value == out.Value {
		return // as most of the time
	}
	if enters {
		c.sum += 1 / in.Value
		c.n++
	}
	if leaves {
		c.sum -= 1 / out.Value
		c.n--
	}
	if c.n == 0 {
		c.sum = 0
		return
	}
	c.mean = float64(c.n) / c.sum
}

// size returns H at k for a load, and whether it is known. Where the whole
// lookback has no count, the newest one is taken if it is not stale.
func (c *crew) size(k zmy.Tick, load float64) (float64, bool) {
	switch {
	case c.seen && k-c.at <= max(c.carry, c.span-1) && (load >= clipped || c.n == 0):
		return c.newest, true
	case c.n > 0:
		return c.mean, true
	}
	return 0, false
}

// heaviest returns the largest work in [from, to], and H and the work at to. It
// reports false where the workers are unknown at a good yield in between.
func (p *Policy) heaviest(w *zmy.Window, from, to zmy.Tick) (most, workers, work float64, ok bool) {
	settled := p.settled(w, from, to)
	if settled > from {
		if most, workers, work, ok = p.unsettled(w, from, min(to, settled-1)); !ok || settled > to {
			return most, workers, work, ok
		}
	}
	// As most of the time: with as many workers all along, the lowest yield is that
	// of the heaviest work.
	h := w.Of(zmy.Workers).At(to).Value
	if newest, _, ok := w.Of(zmy.Yield).Newest(settled, to); ok {
		least, _ := w.Of(zmy.Yield).Least(settled, to)
		workers, work = h, float64((1-newest.Value)*h)
		most = max(most, float64((1-least)*h))
	}
	return most, workers, work, true
}

// settled returns the tick in [from, to] from which on the lookback has had the same
// number of workers all along; one after to where it has not.
func (p *Policy) settled(w *zmy.Window, from, to zmy.Tick) zmy.Tick {
	workers, span := w.Of(zmy.Workers), zmy.Tick(max(1, p.Grid.StepsUp(p.Lookback)))
	since := workers.Unchanged(from-span+1, to)
	if since > to || workers.At(to).Value == 0 {
		return to + 1
	}
	return min(to+1, since+span-1)
}

// unsettled is heaviest for a fleet that changes.
func (p *Policy) unsettled(w *zmy.Window, from, to zmy.Tick) (most, workers, work float64, ok bool) {
	c, first := p.crew(w, from)
	yield := w.Of(zmy.Yield).Walk(from)
	for k := first; k <= to; k++ {
		c.step(k, first)
		if k < from {
			continue
		}
		y := yield.Next()
		if !y.OK() {
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
