package plane

import (
	"context"
	"maps"
	"slices"
	"time"
)

// knock finds out, while the source is taken to be down, whether it is back, before
// anything is planned: a plan for thousands of queries costs memory and time, and
// would be for nothing. It returns false when all asks have got their error.
func (r *round) knock(ctx context.Context) bool {
	p := r.p
	for {
		now := time.Now()
		p.mu.Lock()
		gate, changed, err := p.breaker.ask(now, p.o.Interval), p.changed, p.breaker.error()
		p.mu.Unlock()
		switch gate {
		case pass:
			return true
		case probe:
			r.probe(ctx, now)
			continue
		case wait:
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				err = ErrNoTime
			}
		case refuse:
		}
		for i := range r.asks {
			r.deliver(i, Result{Err: err})
		}
		return false
	}
}

// probe sends the probe that the breaker has let through, and waits for it.
func (r *round) probe(ctx context.Context, now time.Time) {
	p := r.p
	p.mu.Lock()
	like := inTurn(r.asks, p.probes)
	j := p.control(like.Query, span{from: like.To, to: like.To})
	p.mu.Unlock()
	// Whoever has a slot gives it back when its round is over.
	p.slots <- struct{}{}
	r.note(p.attempt(ctx, j, now, r.total), time.Now())
}

// inTurn returns the ask for the nth probe. Namespaces take turns, and so do the asks
// of each: one whose queries all fail must not have the source taken to be down for
// long.
func inTurn(asks []Ask, n int) *Ask {
	counts := map[string]int{}
	for i := range asks {
		counts[asks[i].Namespace]++
	}
	names := slices.Sorted(maps.Keys(counts))
	name := names[n%len(names)]
	left := n / len(names) % counts[name]
	for i := range asks {
		if asks[i].Namespace != name {
			continue
		}
		if left == 0 {
			return &asks[i]
		}
		left--
	}
	return &asks[0]
}

// control returns a request that should succeed if the source is up: for what was
// answered last, or else for a query that is wanted, another one each time. The
// caller holds mu.
func (p *Plane) control(wanted *Query, at span) *job {
	p.probes++
	query := p.lastGood
	if query == nil {
		query = wanted
	}
	return single(&want{query: query, first: -1}, at, control)
}

// control is the same in the middle of a round.
func (r *round) control() *job {
	r.p.mu.Lock()
	defer r.p.mu.Unlock()
	var like *job
	n := r.p.probes
	switch {
	case len(r.shared) > 0:
		like = r.shared[n%len(r.shared)]
	case r.owned.left > 0:
		like = r.owned.peek(n)
	default:
		like = r.suspects.peek(n)
	}
	return r.p.control(like.members[n%len(like.members)].want.query, span{from: like.span.to, to: like.span.to})
}
