package plane

import (
	"sync"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
)

// Options is what a plane is made of.
type Options struct {
	// Querier is the source. It may be used by the plane alone or by others, too.
	Querier promquery.Querier
	// Limits bound what is asked together.
	Limits plan.Limits
	// MaxConcurrency is how many requests may be under way at once; at least 1.
	MaxConcurrency int
	// Interval is how often the same queries are asked, on the wall's clock. All
	// waiting is measured in it.
	Interval time.Duration
}

// Plane asks one source. It is safe for concurrent use.
type Plane struct {
	o     Options
	slots chan struct{} // holds one element for each request under way

	mu      sync.Mutex
	queries map[string]*Query
	breaker breaker
	// changed is closed when the breaker lets go on, or gives up.
	changed chan struct{}
	// instants and ranges are how much is asked together, for either kind.
	instants, ranges appetite
	weather          weather
	// lastGood is a query that was answered lately, and quickly if any was.
	lastGood *Query
	probes   int
	wanted   uint64
}

// New returns a plane. It sends nothing until a round.
func New(o Options) *Plane {
	o.MaxConcurrency = max(1, o.MaxConcurrency)
	return &Plane{
		o: o, slots: make(chan struct{}, o.MaxConcurrency),
		queries: map[string]*Query{}, changed: make(chan struct{}),
	}
}

// Query is a query that a plane knows, shared by everybody who asks it.
type Query struct {
	plan *plan.Query

	// The plane's mu guards what follows.
	refs   int
	record record
}

// Text returns the query as it was given.
func (q *Query) Text() string { return q.plan.Text() }

// Use returns the query with the given text. Each use ends with a [Plane.Release].
// The error is that of a text that is no PromQL.
func (p *Plane) Use(text string) (*Query, error) {
	if q := p.use(text, nil); q != nil {
		return q, nil
	}
	// Rounds do not wait while a long query is read.
	read, err := plan.Prepare(text)
	if err != nil {
		return nil, err
	}
	return p.use(text, read), nil
}

// use returns a query that is known, or becomes so now that it has been read; nil
// where it is neither.
func (p *Plane) use(text string, read *plan.Query) *Query {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.queries[text]
	if q == nil {
		if read == nil {
			return nil
		}
		q = &Query{plan: read}
		p.queries[text] = q
	}
	q.refs++
	return q
}

// Release ends a use. When nobody uses a query any more, all that is known of it
// is forgotten.
func (p *Plane) Release(q *Query) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q.refs--; q.refs > 0 {
		return
	}
	delete(p.queries, q.Text())
	if p.lastGood == q {
		p.lastGood = nil
	}
}

// Stats is what a plane tells about itself.
type Stats struct {
	// Queries is how many different queries are in use.
	Queries int
	// Isolated is how many of them are asked alone, since they failed or came
	// with warnings when they were asked together with others.
	Isolated int
	// Wanted counts the queries that rounds wanted answered so far, equal ones of
	// a round once.
	Wanted uint64
	// Down tells that the source is taken to be down: only probes are sent.
	Down bool
}

// Stats returns how the plane stands.
func (p *Plane) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{Queries: len(p.queries), Wanted: p.wanted, Down: p.breaker.open}
	for _, q := range p.queries {
		if q.record.alone() {
			s.Isolated++
		}
	}
	return s
}
