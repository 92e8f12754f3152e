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

// note is a Record as it is kept: thousands of triggers keep 120 each.
type note struct {
	at                      int64 // Unix nanoseconds
	value                   int64
	yield                   float64
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
	n := note{
		at: d.At.UnixNano(), value: t.Value, yield: d.Yield.Value,
		replicas: int32(d.Replicas.N), desired: int32(d.Desired), size: int32(t.Replicas),
		band: uint8(d.Band), reason: uint8(d.Reason), toldBand: uint8(t.Band), toldReason: uint8(t.Reason),
	}
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

// says reports whether two notes tell KEDA the same size and activity.
func (n note) says(o note) bool {
	const told = flagActive | flagNoValue | flagNoActivity
	return n.size == o.size && n.flags&told == o.flags&told
}

// history keeps a trigger's newest decisions, and the newest of those that told
// KEDA something else than the one before.
type history struct {
	recent, changes ring
}

// add takes the newest decision in.
func (h *history) add(n note) {
	if last, ok := h.recent.newest(); ok && !n.says(last) {
		h.changes.add(n, keptChanges)
	}
	h.recent.add(n, keptDecisions)
}

// ring keeps the newest notes; it grows as it fills.
type ring struct {
	notes []note
	next  int // where the oldest stands once the ring is full
}

func (r *ring) add(n note, limit int) {
	if len(r.notes) < limit {
		r.notes = append(r.notes, n)
		return
	}
	r.notes[r.next] = n
	r.next = (r.next + 1) % limit
}

func (r *ring) newest() (note, bool) {
	if len(r.notes) == 0 {
		return note{}, false
	}
	return r.notes[(r.next+len(r.notes)-1)%len(r.notes)], true
}

// records returns what is kept, the newest first.
func (r *ring) records() []Record {
	all := make([]Record, 0, len(r.notes))
	for i := range r.notes {
		all = append(all, r.notes[(r.next+i)%len(r.notes)].unpack())
	}
	slices.Reverse(all)
	return all
}
