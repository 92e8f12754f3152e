package engine

import (
	"slices"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// How much of a trigger's past is kept.
const (
	keptDecisions = 100
	keptChanges   = 20
)

// Record is one decision of the past, and what KEDA would have been told of it
// at once.
type Record struct {
	At     time.Time
	Band   decision.Band
	Reason decision.Reason
	// Yield is the newest good yield at the time, which need not be of At.
	Yield   float64
	YieldOK bool
	// Replicas is spec.replicas at the time, Desired what was decided; 0 and
	// meaningless unless CountKnown.
	Replicas, Desired int
	CountKnown        bool
	// Told is what the value meant, the value itself in thousandths, and the
	// activity.
	Told decision.Told
}

// note is a Record as it is kept.
type note struct {
	at    int64 // Unix nanoseconds
	yield float64
	said
}

// said is what a decision mostly has in common with the one before.
type said struct {
	value                   int64
	replicas, desired, size int32
	band, reason            uint8
	toldBand, toldReason    uint8
	flags                   uint8
}

const (
	flagYield uint8 = 1 << iota
	flagCount
	flagActive
	flagNoValue
	flagNoActivity
)

// pack makes a note of a decision.
func pack(d *decision.Decision, t decision.Told) note {
	n := note{at: d.At.UnixNano(), yield: d.Yield.Value, said: said{
		value: t.Value, replicas: int32(d.Replicas.N), desired: int32(d.Desired), size: int32(t.Replicas),
		band: uint8(d.Band), reason: uint8(d.Reason), toldBand: uint8(t.Band), toldReason: uint8(t.Reason),
	}}
	for _, f := range []struct {
		set  bool
		flag uint8
	}{
		{d.Yield.OK, flagYield},
		{d.Replicas.Known, flagCount},
		{t.Active, flagActive},
		{t.NoValue, flagNoValue},
		{t.NoActivity, flagNoActivity},
	} {
		if f.set {
			n.flags |= f.flag
		}
	}
	return n
}

// unpack is the inverse of pack.
func (n note) unpack() Record {
	has := func(flag uint8) bool { return n.flags&flag != 0 }
	return Record{
		At: time.Unix(0, n.at).UTC(), Band: decision.Band(n.band), Reason: decision.Reason(n.reason),
		Yield: n.yield, YieldOK: has(flagYield),
		Replicas: int(n.replicas), Desired: int(n.desired), CountKnown: has(flagCount),
		Told: decision.Told{
			Value: n.value, NoValue: has(flagNoValue), Active: has(flagActive), NoActivity: has(flagNoActivity),
			Replicas: int(n.size), Band: decision.Band(n.toldBand), Reason: decision.Reason(n.toldReason),
		},
	}
}

// tells reports whether both tell KEDA the same size and activity.
func (s said) tells(o said) bool {
	const told = flagActive | flagNoValue | flagNoActivity
	return s.size == o.size && s.flags&told == o.flags&told
}

// history keeps a trigger's newest decisions, and the newest of those that told
// KEDA something else than the one before. Thousands of triggers have one, and most
// of them say the same for hours: what is said is kept once for a run of decisions.
type history struct {
	runs    []run     // the oldest first
	yields  []float64 // of the decisions of all runs, around a ring
	oldest  int       // in yields, once the ring is full
	changes []note    // the oldest first
}

// run is decisions one after the other that say the same.
type run struct {
	first, step int64 // Unix nanoseconds; there is no step before the second
	n           int32
	said
}

// last is when the newest decision of the run was.
func (r *run) last() int64 { return r.first + int64(r.n-1)*r.step }

// goesOn reports whether a decision belongs to the run.
func (r *run) goesOn(n note) bool {
	return r.said == n.said && (r.n == 1 || n.at-r.last() == r.step)
}

// add takes the newest decision in.
func (h *history) add(n note) {
	var newest *run
	if len(h.runs) > 0 {
		newest = &h.runs[len(h.runs)-1]
	}
	if newest != nil && !newest.tells(n.said) {
		if len(h.changes) == keptChanges {
			h.changes = slices.Delete(h.changes, 0, 1)
		}
		h.changes = append(h.changes, n)
	}
	if newest != nil && newest.goesOn(n) {
		newest.step = n.at - newest.last()
		newest.n++
	} else {
		h.runs = append(h.runs, run{first: n.at, n: 1, said: n.said})
	}
	h.keep(n.yield)
}

// keep takes in the yield of the newest decision, and forgets the oldest decision
// where there is one too many.
func (h *history) keep(yield float64) {
	if len(h.yields) < keptDecisions {
		h.yields = append(h.yields, yield)
		return
	}
	h.yields[h.oldest] = yield
	h.oldest = (h.oldest + 1) % keptDecisions
	if r := &h.runs[0]; r.n > 1 {
		r.first += r.step
		r.n--
		return
	}
	h.runs = slices.Delete(h.runs, 0, 1)
}

// recent returns the newest decisions, the newest first.
func (h *history) recent() []Record {
	all := make([]Record, 0, len(h.yields))
	for i := range h.runs {
		r := &h.runs[i]
		for k := range r.n {
			yield := h.yields[(h.oldest+len(all))%len(h.yields)]
			all = append(all, note{at: r.first + int64(k)*r.step, yield: yield, said: r.said}.unpack())
		}
	}
	slices.Reverse(all)
	return all
}

// changed returns the newest decisions that told KEDA something else than the one
// before, the newest first.
func (h *history) changed() []Record {
	all := make([]Record, 0, len(h.changes))
	for _, n := range slices.Backward(h.changes) {
		all = append(all, n.unpack())
	}
	return all
}
