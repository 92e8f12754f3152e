// Package explain writes what a scaler tells of a trigger for a person, on one
// screen.
package explain

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// changesShown is how many of the newest changes fit on one screen.
const changesShown = 8

// Write writes the explanations of one ScaledObject's triggers.
func Write(w io.Writer, r *zmyv1.ExplainResponse) error {
	for i, x := range r.GetTriggers() {
		if i > 0 {
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
		if err := one(w, x); err != nil {
			return err
		}
	}
	return nil
}

func one(w io.Writer, x *zmyv1.Explanation) error {
	var b strings.Builder
	head(&b, x.GetTrigger())
	section(&b, "numbers", x.GetFacts(), func(f *zmyv1.Fact) string {
		return fmt.Sprintf("%s\t%s\t%s", f.GetName(), number(f.GetValue()), f.GetText())
	})
	section(&b, "timers", x.GetTimers(), func(t *zmyv1.Timer) string {
		return fmt.Sprintf("%s\t%s of %s left\t%s", t.GetName(), seconds(t.GetLeft().AsDuration()), seconds(t.GetLength().AsDuration()), t.GetText())
	})
	section(&b, "queries", x.GetQueries(), query)
	changes := x.GetChanges()
	section(&b, "last changes", changes[:min(len(changes), changesShown)], change)
	_, err := io.WriteString(w, b.String())
	return err
}

// head writes who it is about, what is done and why, and what comes next.
func head(b *strings.Builder, t *zmyv1.Trigger) {
	fmt.Fprintf(b, "%s/%s  metric %s, source %s, %s\n", t.GetNamespace(), t.GetScaledObject(), t.GetMetric(), t.GetSource(), t.GetMode())
	if t.GetBand() != "" {
		fmt.Fprintf(b, "%s  %s: %s (%s)\n", stamp(t.GetAt()), t.GetBand(), t.GetText(), t.GetReason())
	}
	if !t.GetHealthy() {
		fmt.Fprintf(b, "problem: %s\n", t.GetProblem())
	}
	if t.GetNext() != "" {
		fmt.Fprintf(b, "next: %s\n", t.GetNext())
	}
	b.WriteString("\n")
	rows := tabwriter.NewWriter(b, 0, 4, 2, ' ', 0)
	fmt.Fprintf(rows, "  yield\t%s\tup below %s, down above %s, inactive from %s\n",
		optional(t.Yield), number(t.GetScaleUpThreshold()), number(t.GetScaleDownThreshold()), number(t.GetInactiveThreshold()))
	fmt.Fprintf(rows, "  replicas\t%s\tready %s, decided %s%s\n", whole(t.Replicas), whole(t.Ready), whole(t.Desired), bounds(t))
	if e := t.GetEmitted(); e != nil {
		value := "nothing"
		if e.Value != nil {
			value = number(e.GetValue())
		}
		fmt.Fprintf(rows, "  told\t%s\t%s\n", value, told(e))
	}
	_ = rows.Flush() // a strings.Builder takes everything
}

func bounds(t *zmyv1.Trigger) string {
	if t.GetMax() == 0 {
		return ""
	}
	return fmt.Sprintf(", bounds %d to %d", t.GetMin(), t.GetMax())
}

// told says what KEDA hears and what the HPA makes of it.
func told(e *zmyv1.Emitted) string {
	said := fmt.Sprintf("target %s, %s, ", number(e.GetTarget()), e.GetMetricType())
	switch {
	case e.Value == nil:
		said += "KEDA gets an error"
	case e.HpaBounded != nil:
		said += fmt.Sprintf("the HPA computes %d, %d within its bounds", e.GetHpaReplicas(), e.GetHpaBounded())
	case e.HpaReplicas != nil:
		said += fmt.Sprintf("the HPA computes %d", e.GetHpaReplicas())
	default:
		said += "KEDA decides, not the HPA"
	}
	if e.Active != nil && !e.GetActive() {
		said += "; inactive"
	}
	return said
}

func query(q *zmyv1.Query) string {
	newest := q.GetNewest().GetState()
	if q.GetNewest() != nil && q.GetNewest().Value != nil {
		newest = number(q.GetNewest().GetValue())
	}
	line := fmt.Sprintf("%s\t%s\t%s", q.GetRole(), newest, oneLine(q.GetText()))
	if q.GetSent() != "" && q.GetSent() != q.GetText() {
		line += fmt.Sprintf("\n  \t  sent\t%s", short(oneLine(q.GetSent())))
	}
	if q.GetError() != "" {
		line += fmt.Sprintf("\n  \t  error\t%s", oneLine(q.GetError()))
	}
	return line
}

func change(d *zmyv1.Decision) string {
	return fmt.Sprintf("%s\t%s\t%s -> %s\t%s\tyield %s", stamp(d.GetAt()), d.GetBand(), whole(d.Replicas), whole(d.Desired), d.GetReason(), optional(d.Yield))
}

// section writes a heading and one aligned row for each element; nothing where
// there is none.
func section[T any](b *strings.Builder, title string, list []T, row func(T) string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	rows := tabwriter.NewWriter(b, 0, 4, 2, ' ', 0)
	for _, e := range list {
		fmt.Fprintf(rows, "  %s\n", row(e))
	}
	_ = rows.Flush()
}

// maxQuery is how much of a query that serves many triggers is shown.
const maxQuery = 160

func short(s string) string {
	if r := []rune(s); len(r) > maxQuery {
		return string(r[:maxQuery]) + "… (all of it with -o json)"
	}
	return s
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func stamp(t *timestamppb.Timestamp) string { return t.AsTime().UTC().Format("2006-01-02 15:04:05Z") }

func seconds(d time.Duration) string { return d.Round(time.Second).String() }

func number(v float64) string { return fmt.Sprintf("%.4g", v) }

func optional(v *float64) string {
	if v == nil {
		return "unknown"
	}
	return number(*v)
}

func whole(v *int32) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprint(*v)
}
