package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Event is one of the things the demo is there to show.
type Event uint8

// The events. Woken and Inactive are KEDA's doing, the others the HPA's.
const (
	// ScaleUp is a fleet that grew, not from zero.
	ScaleUp Event = iota
	// Hold is a fleet that was left as it was, in the hold band.
	Hold
	// ScaleDown is a fleet that shrank, not to zero.
	ScaleDown
	// Inactive is a fleet that went to zero.
	Inactive
	// Woken is a fleet that came back from zero.
	Woken

	numEvents
)

// Events lists all events.
func Events() []Event { return []Event{ScaleUp, Hold, ScaleDown, Inactive, Woken} }

// String returns the word that the demo's lines use.
func (e Event) String() string {
	switch e {
	case ScaleUp:
		return "scale_up"
	case Hold:
		return "hold"
	case ScaleDown:
		return "scale_down"
	case Inactive:
		return "inactive"
	case Woken:
		return "woken"
	case numEvents:
	}
	return "unknown event"
}

// event tells what a change of size is; ok is false for one that is left alone.
func event(from, to int) (e Event, ok bool) {
	switch {
	case from == to:
		return Hold, false
	case from == 0:
		return Woken, true
	case to == 0:
		return Inactive, true
	case to > from:
		return ScaleUp, true
	}
	return ScaleDown, true
}

// Report says what a demo has shown.
type Report struct {
	// Wall and Demo are how long it ran, on the wall's clock and on its own.
	Wall, Demo time.Duration
	// Fleets has one entry for each fleet, in the order they are shown.
	Fleets []Seen
	// Failed is how many turns of the stand-ins got no answer.
	Failed int
}

// Seen says what one fleet has shown.
type Seen struct {
	Fleet string
	// Count is how often each event was seen, First when it was seen first,
	// since the start of the demo, on its own clock.
	Count [numEvents]int
	First [numEvents]time.Duration
}

func (s *Seen) add(e Event, at time.Duration) {
	if s.Count[e] == 0 {
		s.First[e] = at
	}
	s.Count[e]++
}

// Missing returns the events that no fleet has shown.
func (r *Report) Missing() []Event {
	var missing []Event
	for _, e := range Events() {
		seen := false
		for i := range r.Fleets {
			seen = seen || r.Fleets[i].Count[e] > 0
		}
		if !seen {
			missing = append(missing, e)
		}
	}
	return missing
}

// MissingError tells that a demo ended before it had shown everything.
type MissingError struct {
	Events []Event
	Ran    time.Duration
}

// Error names what is missing.
func (e *MissingError) Error() string {
	words := make([]string, len(e.Events))
	for i, event := range e.Events {
		words[i] = event.String()
	}
	return fmt.Sprintf("the demo did not show %s within %s: let it run longer", strings.Join(words, ", "), e.Ran.Round(time.Second))
}

// write prints the summary: how often each fleet has shown what, and when first.
func (r *Report) write(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nShown in %s, %s of demo time (how often, and when first):\n\n%-12s", r.Wall.Round(time.Second), r.Demo.Round(time.Second), "")
	for _, e := range Events() {
		fmt.Fprintf(&b, "%16s", e)
	}
	for i := range r.Fleets {
		s := &r.Fleets[i]
		fmt.Fprintf(&b, "\n%-12s", s.Fleet)
		for _, e := range Events() {
			cell := "-"
			if s.Count[e] > 0 {
				cell = fmt.Sprintf("%d × %s", s.Count[e], stamp(s.First[e]))
			}
			fmt.Fprintf(&b, "%16s", cell)
		}
	}
	b.WriteString("\n\n")
	if r.Failed > 0 {
		fmt.Fprintf(&b, "%d turns of KEDA or the HPA got no answer.\n", r.Failed)
	}
	if missing := r.Missing(); len(missing) > 0 {
		fmt.Fprintf(&b, "Not shown: %v.\n", missing)
	} else {
		b.WriteString("All of it was shown: scale-up, hold, scale-down, inactive and wake.\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// stamp formats a time since the start as a clock does.
func stamp(d time.Duration) string {
	s := int64(d / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}
