package lint

import (
	"encoding/json"
	"fmt"
	"io"
)

// WriteText writes a line for each finding as compilers do, and what to do below it.
func (r *Report) WriteText(w io.Writer) error {
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(w, "%s: %s: %s [%s]\n    fix: %s\n", f.Position, f.Severity, f.Reason, f.ID, f.Fix); err != nil {
			return err
		}
	}
	return nil
}

// WriteNotes writes the notes and how much was looked at, for people.
func (r *Report) WriteNotes(w io.Writer) error {
	for _, n := range r.Notes {
		if _, err := fmt.Fprintf(w, "%s: note: %s\n", n.Position, n.Text); err != nil {
			return err
		}
	}
	var counts [Error + 1]int
	for _, f := range r.Findings {
		counts[f.Severity]++
	}
	_, err := fmt.Fprintf(w, "looked at %s, %s of this scaler in %s: %s, %s, %s\n", count(r.Files, "file"),
		count(r.Triggers, "trigger"), count(r.Objects, "ScaledObject"),
		count(counts[Error], "error"), count(counts[Warning], "warning"), count(counts[Info], "info"))
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// The JSON of a report.
type (
	jsonReport struct {
		Files    int           `json:"files"`
		Objects  int           `json:"objects"`
		Triggers int           `json:"triggers"`
		Findings []jsonFinding `json:"findings"`
		Notes    []jsonNote    `json:"notes"`
	}
	jsonFinding struct {
		ID       string   `json:"id"`
		Severity Severity `json:"severity"`
		File     string   `json:"file"`
		Line     int      `json:"line"`
		Column   int      `json:"column"`
		Object   string   `json:"object"`
		Reason   string   `json:"reason"`
		Fix      string   `json:"fix"`
	}
	jsonNote struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
		Text   string `json:"text"`
	}
)

// WriteJSON writes the whole report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	out := jsonReport{Files: r.Files, Objects: r.Objects, Triggers: r.Triggers, Findings: []jsonFinding{}, Notes: []jsonNote{}}
	for _, f := range r.Findings {
		at := f.Position
		out.Findings = append(out.Findings, jsonFinding{f.ID, f.Severity, at.File, at.Line, at.Column, f.Object, f.Reason, f.Fix})
	}
	for _, n := range r.Notes {
		out.Notes = append(out.Notes, jsonNote{n.Position.File, n.Position.Line, n.Position.Column, n.Text})
	}
	return writeIndented(w, out)
}

func writeIndented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
