package backtest

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error { return WriteJSON(w, r) }

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
	for _, f := range r.Lines() {
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

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// span writes a long duration in days and hours.
func span(d time.Duration) string {
	if d < 24*time.Hour {
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}
