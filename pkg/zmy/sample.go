package zmy

import "math"

// State tells what is known about one instant of a series.
type State uint8

// The states of a sample. Only [Good] carries a value; all others are treated
// as missing, each with its own name so that a person can be told what is wrong.
const (
	// Unasked: the source was not asked yet, or did not answer.
	Unasked State = iota
	// Missing: the source answered that there is nothing at this instant.
	Missing
	// Good: the sample has a value inside its domain.
	Good
	// NotANumber: the source answered NaN.
	NotANumber
	// Infinite: the source answered +Inf or -Inf.
	Infinite
	// OutOfRange: a yield outside [0,1] (a percentage, say), or a negative amount.
	OutOfRange
	// SeveralSeries: the query returned more than one series.
	SeveralSeries
	// NotAScalar: the query returned a string, a histogram or a range.
	NotAScalar
)

// String returns the state in lower-case words.
func (s State) String() string {
	switch s {
	case Unasked:
		return "not answered"
	case Missing:
		return "no data"
	case Good:
		return "good"
	case NotANumber:
		return "NaN"
	case Infinite:
		return "infinite"
	case OutOfRange:
		return "out of range"
	case SeveralSeries:
		return "several series"
	case NotAScalar:
		return "not a number"
	}
	return "unknown state"
}

// Bad reports whether the source answered with something that is no usable
// number, as opposed to nothing at all.
func (s State) Bad() bool { return s > Good }

// Sample is what is known about one query at one instant.
type Sample struct {
	// Value is meaningful only when State is Good.
	Value float64
	State State
	// Partial marks an answer that came with warnings: it may rest on a part
	// of the data only.
	Partial bool
}

// OK reports whether the sample carries a value.
func (s Sample) OK() bool { return s.State == Good }

// Domain is the set of values a query may give.
type Domain uint8

const (
	// Ratio is [0,1]: a yield. Values up to 1e-6 outside are rounded in.
	Ratio Domain = iota
	// Amount is any finite number that is not negative: CPU, replicas, wake
	// and guard values.
	Amount
)

// slack is how far outside [0,1] a yield may lie before it counts as wrong:
// far above floating-point noise, far below any percentage mistaken for a ratio.
const slack = 1e-6

// Sample returns v as a sample of the domain. Nothing is clamped but noise.
func (d Domain) Sample(v float64) Sample {
	switch {
	case math.IsNaN(v):
		return Sample{State: NotANumber}
	case math.IsInf(v, 0):
		return Sample{State: Infinite}
	case d == Ratio && v > 1 && v <= 1+slack:
		return Sample{Value: 1, State: Good}
	case d == Ratio && v < 0 && v >= -slack:
		return Sample{Value: 0, State: Good}
	case v < 0, d == Ratio && v > 1:
		return Sample{State: OutOfRange}
	}
	return Sample{Value: v, State: Good}
}
