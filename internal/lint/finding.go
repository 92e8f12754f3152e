package lint

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
)

// Severity is how bad a finding is.
type Severity uint8

// The severities.
const (
	// Info is worth knowing.
	Info Severity = iota
	// Warning is valid, and does not do what people who write it expect.
	Warning
	// Error is refused, or does harm.
	Error
)

// Severities returns all severities by their names, the mildest first.
func Severities() []string { return []string{"info", "warning", "error"} }

// String returns the lower-case name.
func (s Severity) String() string { return Severities()[s] }

// MarshalText writes the name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a name.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(Severities(), string(text))
	if i < 0 {
		return fmt.Errorf("%q: must be info, warning or error", text)
	}
	*s = Severity(i)
	return nil
}

// Finding is one thing found.
type Finding struct {
	// ID is that of the rule.
	ID       string
	Severity Severity
	Position manifest.Position
	// Object is the namespace and name of the ScaledObject.
	Object string
	// Reason says what is there and what comes of it, Fix what to do.
	Reason, Fix string
}

// Note is something to know that is no fault: a document that was not looked at, a
// value that cannot be known.
type Note struct {
	Position manifest.Position
	Text     string
}

// Report is what was found in all files, in their order.
type Report struct {
	// Files, Objects and Triggers count what was looked at: only ScaledObjects
	// with triggers of this scaler, and only those triggers.
	Files, Objects, Triggers int
	Findings                 []Finding
	Notes                    []Note
	// Incomplete tells that [Check] had an error: not all was looked at.
	Incomplete bool
}

// Worst returns the worst severity; ok is false where nothing was found.
func (r *Report) Worst() (worst Severity, ok bool) {
	for _, f := range r.Findings {
		worst = max(worst, f.Severity)
	}
	return worst, len(r.Findings) > 0
}

// sortFrom puts findings and notes that came from one file in the order of their
// places.
func (r *Report) sortFrom(finding, note int) {
	slices.SortStableFunc(r.Findings[finding:], func(a, b Finding) int { return byPlace(a.Position, b.Position) })
	slices.SortStableFunc(r.Notes[note:], func(a, b Note) int { return byPlace(a.Position, b.Position) })
}

func byPlace(a, b manifest.Position) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}
