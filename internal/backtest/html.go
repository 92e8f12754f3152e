package backtest

import (
	_ "embed"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

//go:embed report.html
var page string

// htmlChanges is how many changes a page lists: the newest ones of more.
const htmlChanges = 2000

// WriteHTML writes the report as one page that needs nothing else: for a phone,
// for the dark, and to be sent around.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Parse(page)
	if err != nil {
		return err
	}
	var changes []pageChange
	for _, c := range slices.Backward(r.ours.changes) {
		if len(changes) == htmlChanges {
			break
		}
		changes = append(changes, pageChange{Change: Change{From: c.From, To: c.To, By: c.By, Band: c.Band.String()}, When: stamp(c.At), Text: c.Reason.Text()})
	}
	keys := make([]pair, 0, len(r.Metadata))
	for k, v := range r.Metadata {
		keys = append(keys, pair{k, v})
	}
	slices.SortFunc(keys, func(a, b pair) int { return strings.Compare(a.Key, b.Key) })
	return t.Execute(w, map[string]any{
		"Name": r.name, "From": stamp(r.From), "To": stamp(r.To), "Span": span(r.To.Sub(r.From)), "Steps": r.Steps,
		"Lines": r.Lines(), "Compared": r.Baseline != nil, "Charts": r.charts(), "Notes": r.Notes,
		"Changes": changes, "All": len(r.Changes), "Metadata": keys, "W": columns, "H": height,
	})
}

type pair struct{ Key, Value string }

// pageChange is a change in words.
type pageChange struct {
	Change

	When, Text string
}

// charts are the drawings of the page.
func (r *Report) charts() []chart {
	return []chart{r.demandChart(), r.yieldChart(), r.replicaChart()}
}

func (r *Report) plot(top float64) plot { return plot{from: r.From, to: r.To, top: max(1, 1.05*top)} }

func spec(m moment) float64   { return float64(m.spec) }
func ready(m moment) float64  { return float64(m.ready) }
func demand(m moment) float64 { return float64(m.demand) }

// most returns the largest value of a run.
func most(moments []moment, value func(moment) float64) float64 {
	top := 0.0
	for _, m := range moments {
		top = max(top, value(m))
	}
	return top
}

func (r *Report) demandChart() chart {
	m := r.ours.moments
	p := r.plot(max(most(m, ready), most(m, demand)))
	saturated := func(m moment) float64 {
		if m.waiting > 0 {
			return p.top
		}
		return math.NaN()
	}
	return chart{
		Title: "Demand against capacity",
		About: "In workers. Red: work waits, because there are too few that are ready.",
		Lines: []curve{
			{"late", "work waits", p.area(nil, p.columns(m, saturated, math.Max))},
			{"demand", "demand", p.area(nil, p.columns(m, demand, math.Max))},
			{"ready", "ready workers", p.steps(m, ready)},
		},
		Marks: p.marks(""), Hours: p.hours(),
	}
}

func (r *Report) yieldChart() chart {
	p := plot{from: r.From, to: r.To, top: 1}
	yield := func(m moment) float64 {
		if m.yield < 0 {
			return math.NaN()
		}
		return float64(m.yield)
	}
	d := &r.plan.Trigger.Policy
	between := func(class string, low, high float64) strip {
		return strip{class, number(p.y(high)), number(p.y(low) - p.y(high))}
	}
	return chart{
		Title: "Yield in its bands",
		About: "The idle share as the trigger sees it.",
		Bands: []strip{between("up", 0, d.Up), between("down", d.Down, d.Inactive), between("rest", d.Inactive, 1)},
		Lines: []curve{
			{"yield", "yield", p.area(p.columns(r.ours.moments, yield, math.Min), p.columns(r.ours.moments, yield, math.Max))},
			{"up", decision.ScaleUp.String(), ""},
			{"down", decision.ScaleDown.String(), ""},
			{"rest", decision.Inactive.String(), ""},
		},
		Marks: p.marks(""), Hours: p.hours(),
	}
}

func (r *Report) replicaChart() chart {
	p := r.plot(max(most(r.ours.moments, spec), most(r.baseline.moments, spec)))
	c := chart{Title: "Replicas", About: "What is asked for: spec.replicas.", Marks: p.marks(""), Hours: p.hours()}
	if r.Baseline != nil {
		c.Title = "Replicas against the plain trigger"
		c.Lines = append(c.Lines, curve{"plain", "plain trigger", p.steps(r.baseline.moments, spec)})
	}
	c.Lines = append(c.Lines, curve{"ours", "zmy-scaler", p.steps(r.ours.moments, spec)})
	return c
}
