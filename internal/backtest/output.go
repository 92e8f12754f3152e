package backtest

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

// shownChanges is how many changes a table shows of a long list.
const shownChanges = 20

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%s, %s to %s (%s), %d decisions\n\n", r.name, stamp(r.From), stamp(r.To), span(r.To.Sub(r.From)), r.Steps)
	head, line := "\tzmy-scaler", func(result, _ string) string { return result }
	if r.Baseline != nil {
		head += "\tplain trigger\t"
		line = func(result, baseline string) string { return result + "\t" + baseline + "\t" }
	}
	fmt.Fprintln(out, head)
	for _, f := range r.Figures() {
		fmt.Fprintf(out, "%s\t%s\n", f.Name, line(f.Result, f.Baseline))
	}
	if n := len(r.Changes); n > 0 {
		fmt.Fprintf(out, "\nchanges of zmy-scaler")
		if n > shownChanges {
			fmt.Fprintf(out, ", the last %d of %d", shownChanges, n)
		}
		fmt.Fprintln(out)
		for _, c := range r.Changes[max(0, n-shownChanges):] {
			fmt.Fprintf(out, "%s\t%d → %d\t%s\t%s\n", stamp(c.At), c.From, c.To, c.By, c.Reason)
		}
	}
	return out.Flush()
}

// Figure is one line of the comparison.
type Figure struct{ Name, Result, Baseline string }

// Figures are the results as people read them.
func (r *Report) Figures() []Figure {
	show := func(name string, f func(simulate.Result) string) Figure {
		line := Figure{Name: name, Result: f(r.Result)}
		if r.Baseline != nil {
			line.Baseline = f(*r.Baseline)
		}
		return line
	}
	figures := []Figure{
		show("replica-hours", func(r simulate.Result) string { return fmt.Sprintf("%.1f", r.ReplicaHours) }),
		show("saturated minutes", func(r simulate.Result) string { return fmt.Sprintf("%.1f", r.SaturatedMinutes) }),
		show("changes", func(r simulate.Result) string { return fmt.Sprint(r.Changes) }),
		show("reversals", func(r simulate.Result) string { return fmt.Sprint(r.Reversals) }),
		show("peak replicas", func(r simulate.Result) string { return fmt.Sprint(r.PeakReplicas) }),
		show("mean utilization", func(r simulate.Result) string { return fmt.Sprintf("%.0f %%", 100*r.MeanUtilization) }),
	}
	if r.Cost != nil {
		perHour := r.Cost.PerReplicaHour
		figures = append(figures, show("cost", func(r simulate.Result) string { return fmt.Sprintf("%.2f", perHour*r.ReplicaHours) }))
	}
	return figures
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// span writes a long duration in days and hours.
func span(d time.Duration) string {
	if d < 24*time.Hour {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}
