package tune

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/backtest"
	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error { return backtest.WriteJSON(w, r) }

// shown is how many points of a front a table has; the JSON has all.
const shown = 24

// WriteTable writes the report for people: the fronts, and the metadata to paste.
func (r *Report) WriteTable(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%d policies were tried on the first half of the history. The numbers are those of the second.\n\n", r.Tried)
	line(out, "", func(f backtest.Figure) string { return f.Name })
	results(out, "plain trigger, as first written", r.Baseline)
	results(out, "recommended policy", r.Front[r.Recommended].Test)
	fmt.Fprintf(out, "\nplain triggers, tuned\n")
	for _, p := range thin(r.BaselineFront, r.PlainEnough) {
		results(out, fmt.Sprintf("%s%d %% over %v, window %v", star(p.mine), p.point.Target, seconds(p.point.Lookback), seconds(p.point.Stabilization)), p.point.Test)
	}
	fmt.Fprintf(out, "\npolicies\n")
	for _, p := range thin(r.Front, &r.Recommended) {
		m := p.point.Metadata
		results(out, fmt.Sprintf("%sup %s for %s s, target %s, down %s for %s s, %s", star(p.mine), m["scaleUpThreshold"], m["scaleUpDelay"], m["triggerThreshold"], m["scaleDownThreshold"], m["scaleDownDelay"], m["scaleDownMode"]), p.point.Test)
	}
	fmt.Fprintf(out, "\nmetadata of the recommended policy\n")
	best := r.Front[r.Recommended].Metadata
	for _, key := range slices.Sorted(maps.Keys(best)) {
		fmt.Fprintf(out, "      %s: %q\n", key, best[key])
	}
	fmt.Fprintln(out, "\n"+r.verdict())
	return out.Flush()
}

// compared is how many figures of a result are shown: those that are searched for.
const compared = 4

func line(w io.Writer, name string, cell func(backtest.Figure) string) {
	fmt.Fprintf(w, "%s\t", name)
	for _, f := range backtest.Figures()[:compared] {
		fmt.Fprintf(w, "%s\t", cell(f))
	}
	fmt.Fprintln(w)
}

func results(w io.Writer, name string, r simulate.Result) {
	line(w, name, func(f backtest.Figure) string { return f.Show(r) })
}

func star(chosen bool) string {
	if chosen {
		return "* "
	}
	return "  "
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// verdict says what to do.
func (r *Report) verdict() string {
	g := calmest(r.Baseline, 1)
	text := "The recommended policy keeps within what the plain trigger costs and leaves waiting, with a tenth of its changes and a third of its reversals, in the second half as well."
	if !g.reached(r.Front[r.Recommended].Test) {
		text = "The recommended policy does not keep within all of what the plain trigger costs and leaves waiting, with a tenth of its changes and a third of its reversals, in the second half. Look at the others, and at a longer history."
	}
	if r.PlainEnough != nil {
		p := r.BaselineFront[*r.PlainEnough]
		text += fmt.Sprintf("\nA plain Prometheus trigger is enough here: threshold %d on a lookback of %v, with stabilizationWindowSeconds %d, costs no more, leaves no more waiting, and changes the fleet at most twice as often.",
			p.Target, seconds(p.Lookback), p.Stabilization)
	}
	return text
}

// chosen is a point, and whether it is the one of them.
type chosen[T any] struct {
	point T
	mine  bool
}

// thin returns some points of a long front, evenly, and the one chosen among them.
func thin[T any](front []T, choice *int) []chosen[T] {
	var some []chosen[T]
	step := max(1, (len(front)+shown-1)/shown)
	for i, p := range front {
		mine := choice != nil && *choice == i
		if i%step == 0 || mine {
			some = append(some, chosen[T]{p, mine})
		}
	}
	return some
}
