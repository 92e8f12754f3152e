// Command tunebench tunes a trigger on recorded demand and prints, as Markdown,
// what came of it in the half that was not searched.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/backtest"
	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/simulate"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/internal/tune"
)

// object is the ScaledObject that is tuned, but for its behavior.
const object = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: bench}
spec:
  scaleTargetRef: {name: bench}
  minReplicaCount: 1
  maxReplicaCount: 1000
  %s
  triggers:
  - type: external
    metricType: Value
    metadata: {zmyQuery: 'avg_over_time(zmy[1m])'}
`

// demand is what is tuned on: a recorded one, or a curve.
type demand struct {
	name  string
	curve simulate.Demand
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "tunebench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("tunebench", flag.ContinueOnError)
	only := flags.String("only", "", "run the cases whose name contains this")
	policies := flags.Int("policies", tune.DefaultPolicies, "how many policies to try")
	if err := flags.Parse(args); err != nil {
		return err
	}
	behaviors := []struct{ name, text string }{
		{"no behavior", ""},
		{"no window", "advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: {stabilizationWindowSeconds: 0}}}}"},
	}
	fmt.Fprint(out, "| demand, HPA | | replica-hours | saturated minutes | changes | reversals | tuned plain triggers matched |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	all, err := demands()
	if err != nil {
		return err
	}
	for _, d := range all {
		for _, b := range behaviors {
			if name := d.name + ", " + b.name; strings.Contains(name, *only) {
				if err := tuneOne(ctx, out, name, d.curve, b.text, *policies); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	}
	return nil
}

// tuneOne prints two lines: the plain trigger, and the recommended policy.
func tuneOne(ctx context.Context, out io.Writer, name string, demand simulate.Demand, behavior string, policies int) error {
	file, err := manifest.Read(name, strings.NewReader(fmt.Sprintf(object, behavior)))
	if err != nil {
		return err
	}
	server := trigger.Server{Interval: 15 * time.Second}
	p, err := backtest.NewPlan([]*manifest.File{file}, "", server)
	if err != nil {
		return err
	}
	l := p.Loop(demand, nil, backtest.Environment{StartDelay: 40 * time.Second, QueryOffset: 5 * time.Second})
	r, err := tune.Run(ctx, p, l, tune.Options{Policies: policies, Server: server})
	if err != nil {
		return err
	}
	best := r.Front[r.Recommended]
	matched, of := r.Matched()
	line(out, name, "plain trigger", r.Baseline, "")
	line(out, "", "recommended", best.Test, fmt.Sprintf("%d of %d", matched, of))
	m := best.Metadata
	fmt.Fprintf(os.Stderr, "%s: up %s for %s s, target %s, down %s for %s s, %s, %s; fitted to %+v; %d policies and %.0f s of CPU so far\n", name,
		m["scaleUpThreshold"], m["scaleUpDelay"], m["triggerThreshold"], m["scaleDownThreshold"], m["scaleDownDelay"], m["scaleDownMode"], m["zmyQuery"], best.Train, r.Tried, cpu().Seconds())
	return nil
}

func line(out io.Writer, name, who string, r simulate.Result, matched string) {
	fmt.Fprintf(out, "| %s | %s | %.0f | %.1f | %d | %d | %s |\n", name, who, r.ReplicaHours, r.SaturatedMinutes, r.Changes, r.Reversals, matched)
}

// cpu is what this process has used of it.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
