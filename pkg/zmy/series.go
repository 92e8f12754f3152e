package zmy

// Series holds the samples of one query at consecutive ticks of one grid, the
// newest n of them. The zero Series is empty and remembers nothing; make one
// with [NewSeries]. A Series is not safe for concurrent use.
type Series struct {
	end   Tick
	any   bool
	slots []Sample
	head  int // the slot of end; older ticks stand before it, around the ring
}

// NewSeries returns an empty series that remembers n ticks.
func NewSeries(n int) *Series { return &Series{slots: make([]Sample, n)} }

// Len returns how many ticks the series remembers.
func (s *Series) Len() int {
	if s == nil {
		return 0
	}
	return len(s.slots)
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
	if s == nil || !s.any || k > s.end || k <= s.end-Tick(len(s.slots)) {
		return Sample{}
	}
	return s.slots[s.index(k)]
}

// Set stores the sample at tick k. A tick newer than End moves the window:
// ticks passed over are Unasked. A tick that is no longer remembered is dropped.
func (s *Series) Set(k Tick, v Sample) {
	n := Tick(len(s.slots))
	switch {
	case n == 0:
		return
	case !s.any || k-s.end >= n:
		clear(s.slots)
		s.end, s.any = k, true
	case k > s.end:
		for s.end < k {
			s.end++
			if s.head++; s.head == len(s.slots) {
				s.head = 0
			}
			s.slots[s.head] = Sample{}
		}
	case k <= s.end-n:
		return
	}
	s.slots[s.index(k)] = v
}

// Newest returns the newest good sample in [from, to] and its tick.
func (s *Series) Newest(from, to Tick) (Sample, Tick, bool) {
	end, ok := s.End()
	if !ok {
		return Sample{}, 0, false
	}
	oldest := max(from, end-Tick(len(s.slots))+1)
	for k := min(to, end); k >= oldest; k-- {
		if v := s.slots[s.index(k)]; v.OK() {
			return v, k, true
		}
	}
	return Sample{}, 0, false
}

// index returns the slot of a tick that is remembered. It divides nothing: a
// decision walks along hundreds of ticks.
func (s *Series) index(k Tick) int {
	i := s.head - int(s.end-k)
	if i < 0 {
		i += len(s.slots)
	}
	return i
}
