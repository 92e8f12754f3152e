package simulate

import "time"

// Demand is how many busy workers the work that arrives asks for: Busy[i] from
// Start + i*Step on, for a Step.
type Demand struct {
	Start time.Time
	Step  time.Duration
	Busy  []float64
}

// End returns when the last step ends.
func (d Demand) End() time.Time { return d.Start.Add(time.Duration(len(d.Busy)) * d.Step) }

// Halves returns the first and the second half, cut between two steps.
func (d Demand) Halves() (first, second Demand) {
	n := len(d.Busy) / 2
	first, second = d, d
	first.Busy = d.Busy[:n]
	second.Busy, second.Start = d.Busy[n:], d.Start.Add(time.Duration(n)*d.Step)
	return first, second
}

// Times returns the demand, a multiple of it.
func (d Demand) Times(factor float64) Demand {
	busy := make([]float64, len(d.Busy))
	for i, v := range d.Busy {
		busy[i] = factor * v
	}
	d.Busy = busy
	return d
}

// in returns the demand of the stretch of time that ends since the start.
func (d Demand) in(since time.Duration) float64 {
	i := int((since - 1) / d.Step)
	return d.Busy[max(0, min(i, len(d.Busy)-1))]
}
