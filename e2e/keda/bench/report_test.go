package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
)

// document is what a report is written to, from the root of the repository.
const document = "docs/performance.md"

// goal is something that must hold.
type goal struct {
	what, want, got string
	met             bool
}

// report collects what was found.
type report struct {
	goals []goal
	// rows compare the scaler with KEDA's own.
	rows [][]string
}

// check notes a goal. A missed one fails the test at its end, so that all programs
// need not tell what they logged.
func (r *report) check(t *testing.T, met bool, what, want, got string) {
	t.Helper()
	word := "PASS"
	if !met {
		word = "FAIL"
	}
	rig.Say(t, "%s  %s: %s (%s)", word, what, got, want)
	r.goals = append(r.goals, goal{what: what, want: want, got: got, met: met})
}

// atMost is check for a number.
func (r *report) atMost(t *testing.T, what string, got, most float64, format string) {
	t.Helper()
	r.check(t, got <= most, what, "at most "+fmt.Sprintf(format, most), fmt.Sprintf(format, got))
}

// none is check for what must not be.
func (r *report) none(t *testing.T, what string, got int) {
	t.Helper()
	r.check(t, got == 0, what, "none", fmt.Sprint(got))
}

// beside notes how the scaler compares with KEDA's own.
func (r *report) beside(t *testing.T, what, keda, ours string) {
	t.Helper()
	rig.Say(t, "      %s: KEDA's scaler %s, this one %s", what, keda, ours)
	r.rows = append(r.rows, []string{what, keda, ours})
}

// markdown returns the report as a page without dates, machines and seconds.
func (r *report) markdown() string {
	var b strings.Builder
	b.WriteString("<!-- Written by make bench-plane: do not edit. -->\n\n# Performance\n\n")
	b.WriteString(preface)
	b.WriteString("\n## Goals\n\n| goal | wanted | measured |\n| --- | --- | --- |\n")
	for _, g := range r.goals {
		missed := ""
		if !g.met {
			missed = ", **missed**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s%s |\n", g.what, g.want, g.got, missed)
	}
	b.WriteString("\n## Beside KEDA's own Prometheus scaler\n\n| | KEDA's scaler | zmy-scaler |\n| --- | --- | --- |\n")
	for _, row := range r.rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

// missed returns how many goals were missed.
func (r *report) missed() int {
	n := 0
	for _, g := range r.goals {
		if !g.met {
			n++
		}
	}
	return n
}

func (r *report) write(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(rig.Root, document), []byte(r.markdown()), 0o644); err != nil {
		t.Fatal(err)
	}
}

const preface = "`make bench-plane` measures this, all in one run on one machine: a real Prometheus that scrapes the fleets' series, " +
	"KEDA's own Prometheus scaler (the code of KEDA's operator, one request for each trigger and poll), " +
	"the built scaler without Kubernetes, called over gRPC as KEDA calls it, and an empty gRPC server as the floor. " +
	"It fails when a goal is missed.\n\n" +
	"Requests are counted by a proxy before Prometheus. CPU time and memory are the kernel's, of the processes; " +
	"what Prometheus takes when nobody asks it does not count. " +
	"Before anything is measured, each trigger must have the right yield, and of the newest instant. " +
	"Numbers of requests are the same on every machine; all else is given as a ratio, or beside a goal. " +
	"KEDA's calls are those of fleets that may go to zero: three for each HPA sync and each poll. " +
	"The empty server gets the same ones at the same rate, in the intervals between, so that what gRPC itself takes for them is known. " +
	"KEDA's scaler polls once an interval; the scaler has the same interval. " +
	"Most parts use an interval of 4 seconds in place of 15, which changes what happens in a second but not in an interval.\n"
