package plane

import (
	"slices"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
)

// maxPoints is how many points one answer may have: some megabytes of JSON, well within
// [promquery.DefaultResponseLimit].
const maxPoints = 100_000

// spanKey is a span that can be compared.
type spanKey struct {
	from, to int64
	step     time.Duration
}

// group is what is wanted at the instants of one span.
type group struct {
	span   span
	wants  []*want
	byText map[*Query]*want
}

// plan queues what is asked: healthy queries together, the others alone, and
// those that rest not at all.
func (r *round) plan(now time.Time) {
	var failing []due
	for _, g := range r.groups() {
		healthy := make([]*want, 0, len(g.wants))
		resting := map[*want]error{}
		r.p.mu.Lock()
		r.p.wanted += uint64(len(g.wants))
		for _, w := range g.wants {
			switch rec := &w.query.record; {
			case rec.resting(now):
				resting[w] = rec.rest
			case rec.failing():
				failing = append(failing, due{single(w, g.span, suspect), rec.until})
			case rec.alone():
				r.push([]*job{single(w, g.span, owned)})
			default:
				healthy = append(healthy, w)
			}
		}
		limits := r.p.limits(g.span, now)
		r.p.mu.Unlock()
		r.push(jobs(healthy, g.span, limits, nil))
		for w, err := range resting {
			r.give(w, Result{Err: err})
		}
	}
	// Whoever has waited longest is first.
	slices.SortStableFunc(failing, func(a, b due) int { return a.since.Compare(b.since) })
	for _, f := range failing {
		r.push([]*job{f.job})
	}
}

// due is a job that might have been sent at a time that has passed.
type due struct {
	job   *job
	since time.Time
}

// groups sorts the asks by their instants, the fewest instants first, and finds
// those that ask for the same.
func (r *round) groups() []*group {
	r.next = make([]int32, len(r.asks))
	var list []*group
	known := map[spanKey]*group{}
	all := make([]want, len(r.asks))
	for i := range r.asks {
		a := &r.asks[i]
		k := spanKey{a.From.UnixNano(), a.To.UnixNano(), a.Step}
		g := known[k]
		if g == nil {
			g = &group{span: span{a.From, a.To, a.Step}, byText: map[*Query]*want{}}
			known[k] = g
			list = append(list, g)
		}
		w := g.byText[a.Query]
		if w == nil {
			w = &all[i]
			*w = want{query: a.Query, first: -1, owner: a.Namespace}
			g.byText[a.Query] = w
			g.wants = append(g.wants, w)
		}
		if w.owner != a.Namespace {
			w.owner = ""
		}
		r.next[i], w.first = w.first, int32(i)
	}
	slices.SortStableFunc(list, func(a, b *group) int { return a.span.len() - b.span.len() })
	return list
}

// limits returns how much may be asked together at the instants of a span. The
// caller holds mu.
func (p *Plane) limits(at span, now time.Time) plan.Limits {
	l := p.o.Limits
	most := max(l.Merge, l.Union)
	most = min(p.appetite(at).limit(most, now), max(1, maxPoints/at.len()))
	l.Merge, l.Union = min(l.Merge, most), min(l.Union, most)
	return l
}

// appetite returns the one for the kind of request that asks for a span.
func (p *Plane) appetite(at span) *appetite {
	if at.from.Equal(at.to) {
		return &p.instants
	}
	return &p.ranges
}
