package zmy

import "math"

// Series holds the samples of one query at consecutive ticks of one grid, the
// newest n of them. The zero Series is empty and remembers nothing; make one
// with [NewSeries]. A Series is not safe for concurrent use.
//
// It takes 9 bytes a tick: thousands of series are kept for hours.
type Series struct {
	end  Tick
	any  bool
	head int // the slot of end; older ticks stand before it, around the ring
	// values and states are the halves of the samples; a state is a [State] and,
	// above it, whether the sample is partial.
	values []float64
	states []uint8
}

// partial is the bit of a state that marks a partial sample.
const partial = 1 << 7

// NewSeries returns an empty series that remembers n ticks.
func NewSeries(n int) *Series {
	return &Series{values: make([]float64, n), states: make([]uint8, n)}
}

// Len returns how many ticks the series remembers.
func (s *Series) Len() int {
	if s == nil {
		return 0
	}
	return len(s.states)
}

// End returns the newest tick that was set; ok is false for an empty series.
func (s *Series) End() (k Tick, ok bool) {
	if s == nil {
		return 0, false
	}
	return s.end, s.any
}

// At returns the sample at tick k, Unasked where nothing was set or remembered.
func (s *Series) At(k Tick) Sample {
	if s == nil || !s.any || k > s.end || k <= s.end-Tick(len(s.states)) {
		return Sample{}
	}
	return s.slot(s.index(k))
}

// Set stores the sample at tick k. A tick newer than End moves the window:
// ticks passed over are Unasked. A tick that is no longer remembered is dropped.
func (s *Series) Set(k Tick, v Sample) {
	n := Tick(len(s.states))
	switch {
	case n == 0:
		return
	case !s.any || k-s.end >= n:
		clear(s.states)
		s.end, s.any = k, true
	case k > s.end:
		for s.end < k {
			s.end++
			if s.head++; s.head == len(s.states) {
				s.head = 0
			}
			s.states[s.head] = 0
		}
	case k <= s.end-n:
		return
	}
	i := s.index(k)
	s.values[i], s.states[i] = v.Value, uint8(v.State)
	if v.Partial {
		s.states[i] |= partial
	}
}

// Newest returns the newest good sample in [from, to] and its tick.
func (s *Series) Newest(from, to Tick) (Sample, Tick, bool) {
	end, ok := s.End()
	if !ok {
		return Sample{}, 0, false
	}
	oldest := max(from, end-Tick(len(s.states))+1)
	for k := min(to, end); k >= oldest; k-- {
		if v := s.slot(s.index(k)); v.OK() {
			return v, k, true
		}
	}
	return Sample{}, 0, false
}

// Least returns the smallest good value in [from, to], and how many good ones there
// are. Delays of hours are looked at anew at every decision, so that this does not
// look up one tick after the other.
func (s *Series) Least(from, to Tick) (least float64, good int) {
	first, second := s.span(from, to)
	least = math.Inf(1)
	if s == nil {
		return least, 0
	}
	for _, part := range [...]slots{first, second} {
		states := s.states[part.from:part.to]
		for i, v := range s.values[part.from:part.to] {
			if i < len(states) && State(states[i]&^partial) == Good {
				good++
				if v < least {
					least = v
				}
			}
		}
	}
	return least, good
}

// Unchanged returns the oldest tick in [from, to] from which on, up to to, all
// samples are good and equal; to+1 where that at to is not good.
func (s *Series) Unchanged(from, to Tick) Tick {
	newest := s.At(to)
	if !newest.OK() {
		return to + 1
	}
	first, second := s.span(from, to)
	since := to + 1
	for _, part := range [...]slots{second, first} {
		for i := part.to - 1; i >= part.from; i-- {
			if State(s.states[i]&^partial) != Good || s.values[i] != newest.Value {
				return since
			}
			since--
		}
	}
	return since
}

// slots are neighbouring slots, without to.
type slots struct{ from, to int }

// span returns the slots of those ticks in [from, to] that are remembered: the older
// ones and, where the ring goes around, the newer ones behind them.
func (s *Series) span(from, to Tick) (older, newer slots) {
	if s == nil || !s.any {
		return older, newer
	}
	from, to = max(from, s.end-Tick(len(s.states))+1), min(to, s.end)
	if from > to {
		return older, newer
	}
	i, j := s.index(from), s.index(to)
	if i <= j {
		return slots{i, j + 1}, newer
	}
	return slots{i, len(s.states)}, slots{0, j + 1}
}

// slot returns the sample in a slot.
func (s *Series) slot(i int) Sample {
	v := Sample{State: State(s.states[i] &^ partial), Partial: s.states[i]&partial != 0}
	if v.OK() {
		v.Value = s.values[i]
	}
	return v
}

// index returns the slot of a tick that is remembered. It divides nothing: a
// decision walks along hundreds of ticks.
func (s *Series) index(k Tick) int {
	i := s.head - int(s.end-k)
	if i < 0 {
		i += len(s.states)
	}
	return i
}

// Walk returns a walk over the samples from tick k on, the oldest first.
func (s *Series) Walk(k Tick) Walk {
	w := Walk{next: k, end: k - 1}
	if s == nil || !s.any {
		return w
	}
	w.series, w.end, w.start = s, s.end, s.end-Tick(len(s.states))+1
	if k >= w.start && k <= w.end {
		w.slot = s.index(k)
	} else if w.slot = s.head + 1; w.slot == len(s.states) {
		w.slot = 0
	}
	return w
}

// Walk walks along a series, one tick at a time. A decision walks along hundreds of
// ticks, and this finds each of them faster than [Series.At]. The series must not
// be changed meanwhile.
type Walk struct {
	series           *Series
	next, start, end Tick
	slot             int // of next, or of start before it
}

// Next returns the sample at the next tick: what [Series.At] returns for it.
func (w *Walk) Next() Sample {
	k := w.next
	w.next++
	if k < w.start || k > w.end {
		return Sample{}
	}
	i := w.slot
	if w.slot++; w.slot == len(w.series.states) {
		w.slot = 0
	}
	return w.series.slot(i)
}
