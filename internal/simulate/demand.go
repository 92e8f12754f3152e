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

// mean returns the mean demand from one time to a later one, both since the start
// and within the demand.
func (d Demand) mean(from, to time.Duration) float64 {
	first, last := int(from/d.Step), int((to-1)/d.Step)
	if first == last {
		return d.Busy[first]
	}
	sum := float64(d.Busy[first] * float64(time.Duration(first+1)*d.Step-from))
	sum += float64(d.Busy[last] * float64(to-time.Duration(last)*d.Step))
	for _, v := range d.Busy[first+1 : last] {
		sum += float64(v * float64(d.Step))
	}
	return sum / float64(to-from)
}
