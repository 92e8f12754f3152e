package promquery

import (
	"context"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Point is what a source said about one instant, before a domain judges it.
type Point struct {
	// State is Good for any float, NaN and infinities too; otherwise it is
	// Missing, SeveralSeries or NotAScalar.
	State zmy.State
	// Value is meaningful only when State is Good.
	Value float64
}

// Answer is what a source said about consecutive instants.
type Answer struct {
	// Points holds one point per instant asked for, the oldest first.
	Points []Point
	// Warnings came with the answer: it may rest on a part of the data only.
	Warnings []string
}

// Sample returns point i as a sample of the domain. It is Partial when the
// answer came with warnings.
func (a Answer) Sample(i int, d zmy.Domain) zmy.Sample {
	p := a.Points[i]
	v := zmy.Sample{State: p.State}
	if p.State == zmy.Good {
		v = d.Sample(p.Value)
	}
	v.Partial = len(a.Warnings) > 0
	return v
}

// By says how an answer for several queries is split.
type By struct {
	// Label marks whose a series is.
	Label string
	// Keys are the values that the label may have, one a query and none twice.
	Keys []string
}

// Querier answers queries. [Source] is the one that does it for real. An
// implementation returns exactly one point per instant asked for, or an error.
type Querier interface {
	// Instant evaluates the query at one instant.
	Instant(ctx context.Context, query string, at time.Time) (Answer, error)
	// Range evaluates the query at from, from+step and so on up to to, inclusive.
	Range(ctx context.Context, query string, from, to time.Time, step time.Duration) (Answer, error)
	// Split evaluates a query that stands for several, and returns the answer of
	// each, in the order of the keys. It evaluates at from alone if that is to.
	Split(ctx context.Context, query string, by By, from, to time.Time, step time.Duration) ([]Answer, error)
}
