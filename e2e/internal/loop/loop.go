// Package loop compares what a real cluster makes of a demand with what the
// scaler's backtest says that it would: the sizes of the fleet, one after the
// other, and when each of them came.
package loop

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Stretch is a while in which the work that arrives asks for so many busy workers.
type Stretch struct {
	Busy float64
	For  time.Duration
}

// Demand is a demand over time.
type Demand struct {
	Start     time.Time
	Stretches []Stretch
}

// End returns when the last stretch ends.
func (d Demand) End() time.Time {
	end := d.Start
	for _, s := range d.Stretches {
		end = end.Add(s.For)
	}
	return end
}

// At returns the busy workers that the work at a time asks for. The first stretch
// has been going on for ever.
func (d Demand) At(t time.Time) float64 {
	busy, begin := 0.0, d.Start
	for i, s := range d.Stretches {
		if i == 0 || !t.Before(begin) {
			busy = s.Busy
		}
		begin = begin.Add(s.For)
	}
	return busy
}

// CSV returns the demand as backtest reads it: what arrives in each step, of which
// one worker does perWorker.
func (d Demand) CSV(step time.Duration, perWorker float64) string {
	var text strings.Builder
	text.WriteString("timestamp,amount\n")
	for at := d.Start; at.Before(d.End()); at = at.Add(step) {
		fmt.Fprintf(&text, "%s,%g\n", at.UTC().Format(time.RFC3339), perWorker*d.At(at))
	}
	return text.String()
}

// Change is a change of spec.replicas.
type Change struct {
	At       time.Time `json:"at"`
	From, To int
}

// Before returns the changes before a time.
func Before(all []Change, end time.Time) []Change {
	for i, c := range all {
		if !c.At.Before(end) {
			return all[:i]
		}
	}
	return all
}

// Begun reports whether a history can still become the model's: all sizes so far
// are its first ones.
func Begun(seen, model []Change) error {
	if n := min(len(seen), len(model)); Sizes(seen[:n]) != Sizes(model[:n]) {
		return fmt.Errorf("the fleet goes %s, and by the model %s", Sizes(seen), Sizes(model))
	}
	return nil
}

// Agree reports where two histories of a fleet differ: in the sizes, or by more
// than a while in the time of a change.
func Agree(seen, model []Change, within time.Duration) error {
	if got, want := Sizes(seen), Sizes(model); got != want {
		return fmt.Errorf("the fleet went %s, and by the model %s", got, want)
	}
	var errs []error
	for i, c := range seen {
		if d := c.At.Sub(model[i].At); d.Abs() > within {
			errs = append(errs, fmt.Errorf("%d to %d came %v after the model's, more than %v", c.From, c.To, d, within))
		}
	}
	return errors.Join(errs...)
}

// Sizes returns the sizes that a fleet went through, for people.
func Sizes(all []Change) string {
	var text strings.Builder
	for i, c := range all {
		switch {
		case i == 0:
			fmt.Fprintf(&text, "%d", c.From)
		case c.From != all[i-1].To:
			fmt.Fprintf(&text, " (%d?)", c.From)
		}
		fmt.Fprintf(&text, " %d", c.To)
	}
	return text.String()
}

// Table shows two histories side by side, in seconds since a start.
func Table(start time.Time, seen, model []Change) string {
	var text strings.Builder
	text.WriteString("   cluster            model        cluster is later by\n")
	for i := range max(len(seen), len(model)) {
		fmt.Fprintf(&text, "%-18s %-18s", cell(start, seen, i), cell(start, model, i))
		if i < len(seen) && i < len(model) {
			fmt.Fprintf(&text, " %6.1f s", seen[i].At.Sub(model[i].At).Seconds())
		}
		text.WriteString("\n")
	}
	return text.String()
}

func cell(start time.Time, all []Change, i int) string {
	if i >= len(all) {
		return ""
	}
	return fmt.Sprintf("%6.1f s %2d to %2d", all[i].At.Sub(start).Seconds(), all[i].From, all[i].To)
}
