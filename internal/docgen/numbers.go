package main

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// numbersPage shows the control law at work: every number on it is computed by
// the code that decides.
func numbersPage() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(markdownNote + "# The control law in numbers\n\n" +
		"Computed by the code that decides, with the default policy unless a column says otherwise.\n")
	for _, section := range []func(*bytes.Buffer) error{downNumbers, upNumbers, stepNumbers, settlingNumbers, toldNumbers} {
		if err := section(&b); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// policy returns the default policy with some keys set.
func policy(keys map[string]string) (decision.Policy, error) {
	metadata := map[string]string{"zmyQuery": `avg_over_time(zmy{job="example"}[5m])`}
	maps.Copy(metadata, keys)
	t, err := trigger.Parse(metadata, trigger.Server{Interval: 15 * time.Second})
	if err != nil {
		return decision.Policy{}, err
	}
	t.Policy.HasWorkers = true
	return t.Policy, nil
}

const now = zmy.Tick(1_000_000)

// decide decides on a window whose yields and workers are functions of the time.
func decide(p decision.Policy, spec int, yield, workers func(zmy.Tick) float64) decision.Decision {
	w := zmy.Window{Grid: p.Grid}
	for _, role := range []zmy.Role{zmy.Yield, zmy.Workers} {
		w.Series[role] = zmy.NewSeries(p.Ticks())
	}
	for k := now - zmy.Tick(p.Ticks()) + 1; k <= now; k++ {
		w.Series[zmy.Yield].Set(k, zmy.Ratio.Sample(yield(k)))
		w.Series[zmy.Workers].Set(k, zmy.Amount.Sample(workers(k)))
	}
	return decision.Decide(&p, &w, fleetOf(spec, spec), now)
}

func steady(v float64) func(zmy.Tick) float64 { return func(zmy.Tick) float64 { return v } }

func fleetOf(spec, ready int) decision.Fleet {
	return decision.Fleet{
		Spec: decision.Known(spec), Status: decision.Known(spec), Ready: decision.Known(ready),
		Tolerance: decision.Tolerance{Down: decision.DefaultTolerance, Up: decision.DefaultTolerance},
	}
}

func downNumbers(b *bytes.Buffer) error {
	b.WriteString("\n## Scaling down\n\nA fleet whose yield has been steady for longer than `scaleDownDelay`. In brackets the yield that the same work gives the smaller fleet; below `scaleUpThreshold` it would have to grow again at once.\n\n" +
		"| replicas | yield | busy workers | band | `safe` | `proportional` | `floor` |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, c := range []struct {
		n     int
		yield float64
	}{{10, 0.91}, {10, 0.92}, {20, 0.92}, {100, 0.92}, {10, 0.95}, {13, 0.95}, {14, 0.95}, {100, 0.96}, {100, 0.995}} {
		var band decision.Band
		var cells strings.Builder
		for _, mode := range []string{"safe", "proportional", "floor"} {
			p, err := policy(map[string]string{"scaleDownMode": mode})
			if err != nil {
				return err
			}
			d := decide(p, c.n, steady(c.yield), steady(float64(c.n)))
			if mode == "safe" {
				band = d.Band
			}
			fmt.Fprintf(&cells, " %d (%.2f) |", d.Desired, max(0, 1-d.Work/float64(d.Desired)))
		}
		fmt.Fprintf(b, "| %d | %g | %.2f | `%s` |%s\n", c.n, c.yield, (1-c.yield)*float64(c.n), band, cells.String())
	}
	return nil
}

func upNumbers(b *bytes.Buffer) error {
	b.WriteString("\n## Scaling up\n\nThe size wanted is the work over the target load, rounded up.\n\n" +
		"| replicas | yield | wanted | desired |\n| --- | --- | --- | --- |\n")
	p, err := policy(nil)
	if err != nil {
		return err
	}
	for _, n := range []int{1, 4, 10, 20} {
		for _, yield := range []float64{0.29, 0.2, 0.1, 0} {
			d := decide(p, n, steady(yield), steady(float64(n)))
			fmt.Fprintf(b, "| %d | %g | %.2f | %d |\n", n, yield, d.Want, d.Desired)
		}
	}
	return nil
}

func stepNumbers(b *bytes.Buffer) error {
	b.WriteString("\n## The smallest steps the HPA acts on\n\nAt a tolerance of 0.1 each way. A smaller change is ignored by the HPA, whatever the metric says.\n\n" +
		"| replicas | next size up | next size down |\n| --- | --- | --- |\n")
	p, err := policy(nil)
	if err != nil {
		return err
	}
	tol := fleetOf(1, 1).Tolerance
	reaches := func(from, to int) bool {
		return decision.HPAValue(decision.EncodeValue(p.TargetMilli, to, from, from, tol), p.TargetMilli, from, from, tol) == to
	}
	for _, n := range []int{2, 5, 9, 10, 11, 20, 21, 50, 100} {
		up, down := n+1, n-1
		for !reaches(n, up) {
			up++
		}
		for !reaches(n, down) {
			down--
		}
		fmt.Fprintf(b, "| %d | %d | %d |\n", n, up, down)
	}
	return nil
}

func settlingNumbers(b *bytes.Buffer) error {
	const work, before, after = 9.0, 10, 30
	p, err := policy(nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\n## Work while a step is settling\n\n%.0f workers are busy all the time. The fleet grows from %d to %d, and the yield is averaged over 5 minutes, so that it shows the old size for a while. Three ways to estimate the busy workers from it:\n\n"+
		"| time since the step | averaged yield | load × newest count | load × arithmetic mean | load × harmonic mean (used) |\n| --- | --- | --- | --- | --- |\n", work, before, after)
	span := zmy.Tick(p.Grid.StepsUp(p.Lookback))
	for _, since := range []zmy.Tick{0, 4, 8, 12, 16, 20} {
		workers := func(k zmy.Tick) float64 {
			if k > now-since {
				return after
			}
			return before
		}
		mean := func(k zmy.Tick, f func(float64) float64) float64 {
			sum := 0.0
			for j := k - span + 1; j <= k; j++ {
				sum += f(workers(j))
			}
			return sum / float64(span)
		}
		yield := func(k zmy.Tick) float64 { return 1 - mean(k, func(n float64) float64 { return work / n }) }
		d := decide(p, after, yield, workers)
		load := 1 - yield(now)
		fmt.Fprintf(b, "| %v | %.2f | %.1f | %.1f | %.1f |\n", time.Duration(since)*p.Grid.Interval(), yield(now),
			load*workers(now), load*mean(now, func(n float64) float64 { return n }), d.Work)
	}
	return nil
}

func toldNumbers(b *bytes.Buffer) error {
	b.WriteString("\n## What KEDA is told\n\nThe metric target is `triggerThreshold`. The value is the one that makes the HPA arrive at the size wanted, from the replicas and the ready pods at the time of the call.\n\n" +
		"| replicas | ready | wanted | `Value` | HPA computes | `AverageValue` | HPA computes |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	p, err := policy(nil)
	if err != nil {
		return err
	}
	for _, c := range []struct{ spec, ready, want int }{
		{4, 4, 4}, {4, 4, 12}, {12, 4, 12}, {12, 12, 12}, {10, 10, 3}, {20, 20, 23}, {20, 14, 20}, {20, 10, 11},
	} {
		f := fleetOf(c.spec, c.ready)
		value := decision.EncodeValue(p.TargetMilli, c.want, c.spec, c.ready, f.Tolerance)
		average := decision.EncodeAverageValue(p.TargetMilli, c.want, f.Status, f.Tolerance)
		fmt.Fprintf(b, "| %d | %d | %d | %.3f | %d | %.3f | %d |\n", c.spec, c.ready, c.want,
			float64(value)/1000, decision.HPAValue(value, p.TargetMilli, c.spec, c.ready, f.Tolerance),
			float64(average)/1000, decision.HPAAverageValue(average, p.TargetMilli, c.spec, f.Tolerance))
	}
	return nil
}
