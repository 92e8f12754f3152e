package backtest

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// Figure is one number of a result as people read it, here and in other reports.
type Figure struct {
	Name string
	Show func(simulate.Result) string
}

// Figures are the numbers of a result, the most telling ones first.
func Figures() []Figure {
	return []Figure{
		{"replica-hours", func(r simulate.Result) string { return fmt.Sprintf("%.1f", r.ReplicaHours) }},
		{"saturated minutes", func(r simulate.Result) string { return fmt.Sprintf("%.1f", r.SaturatedMinutes) }},
		{"changes", func(r simulate.Result) string { return fmt.Sprint(r.Changes) }},
		{"reversals", func(r simulate.Result) string { return fmt.Sprint(r.Reversals) }},
		{"peak replicas", func(r simulate.Result) string { return fmt.Sprint(r.PeakReplicas) }},
		{"mean utilization", func(r simulate.Result) string { return fmt.Sprintf("%.0f %%", 100*r.MeanUtilization) }},
	}
}

// Line is one line of the comparison.
type Line struct{ Name, Result, Baseline string }

// Lines are the results as people read them.
func (r *Report) Lines() []Line {
	figures := Figures()
	if r.Cost != nil {
		perHour := r.Cost.PerReplicaHour
		figures = append(figures, Figure{"cost", func(r simulate.Result) string { return fmt.Sprintf("%.2f", perHour*r.ReplicaHours) }})
	}
	lines := make([]Line, len(figures))
	for i, f := range figures {
		lines[i] = Line{Name: f.Name, Result: f.Show(r.Result)}
		if r.Baseline != nil {
			lines[i].Baseline = f.Show(*r.Baseline)
		}
	}
	return lines
}

// WriteJSON writes a report for programs.
func WriteJSON(w io.Writer, report any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(report)
}
