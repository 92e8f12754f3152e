package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/infra-arch/zmy-scaler/internal/backtest"
	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/simulate"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// historyFlags are the flags of commands that replay: what is replayed, and in
// what surroundings.
type historyFlags struct {
	object                string
	source, from, to      string
	replicasQuery         string
	demand                string
	perWorker             float64
	startDelay            time.Duration
	interval, queryOffset time.Duration
	format, output        string
	formats               string  // what format takes
	costPerReplicaHour    float64 // of backtest alone
}

// longestStart is longer than any worker takes to start.
const longestStart = 24 * time.Hour

func (f *historyFlags) register(flags *pflag.FlagSet, formats string) {
	defaults := config.Default().Evaluation
	f.formats = formats
	flags.StringVar(&f.object, "object", "", "`[NAMESPACE/]NAME` of the ScaledObject, where the file has several")
	flags.StringVar(&f.source, "source", "", "`URL` of a Prometheus that has the history")
	flags.StringVar(&f.from, "from", "", "`TIME` at which the history begins, or how long ago, such as 7d")
	flags.StringVar(&f.to, "to", "now", "`TIME` at which it ends, or how long ago")
	flags.StringVar(&f.replicasQuery, "replicas-query", "", "`PROMQL` for the workers that there were, where the trigger has no replicasQuery")
	flags.StringVar(&f.demand, "demand", "", "CSV `FILE` of a timestamp and an amount a line, instead of a history; - for the standard input")
	flags.Float64Var(&f.perWorker, "per-worker", 0, "the amount that one worker does in a step of --demand")
	flags.DurationVar(&f.startDelay, "start-delay", 40*time.Second, "how long a new worker takes to become ready")
	flags.DurationVar(&f.interval, "interval", time.Duration(defaults.Interval), "the scaler's evaluation.interval")
	flags.DurationVar(&f.queryOffset, "query-offset", time.Duration(defaults.QueryOffset), "the scaler's evaluation.queryOffset")
	flags.StringVarP(&f.format, "format", "o", "table", "`"+formats+"`")
	flags.StringVar(&f.output, "output", "", "`FILE` to write to, instead of the standard output")
}

func newBacktest(env environment) *cobra.Command {
	var f historyFlags
	var o backtest.Options
	cmd := &cobra.Command{
		Use:   "backtest FILE...",
		Short: "Replay history, or a demand, for a ScaledObject",
		Long: `backtest reads a ScaledObject and replays what its workers had to do: recorded
history from a Prometheus, or a demand curve. The scaler's own code decides, in a
closed loop with models of the workers, of the HPA with its behavior, and of KEDA.
It reports what would have been paid, how long the fleet would have been too small,
and every change with its reason; with --compare also for KEDA's plain Prometheus
trigger on the same signal.`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runBacktest(cmd.Context(), &f, o, args, env)
		},
	}
	f.register(cmd.Flags(), "table|json|html")
	cmd.Flags().BoolVar(&o.Compare, "compare", false, "replay KEDA's plain trigger too")
	cmd.Flags().Float64Var(&f.costPerReplicaHour, "cost-per-replica-hour", 0, "what a replica costs in an hour, in any currency")
	return cmd
}

func runBacktest(ctx context.Context, f *historyFlags, o backtest.Options, paths []string, env environment) error {
	if err := f.check(); err != nil {
		return &usageError{err}
	}
	progress := newProgress(env.err)
	plan, loop, err := f.load(ctx, paths, env, progress)
	if err != nil {
		return err
	}
	o.CostPerReplicaHour, o.Progress = f.costPerReplicaHour, progress.stage("replay")
	report, err := backtest.Run(ctx, plan, loop, o)
	if err != nil {
		return err
	}
	progress.done(report.Notes)
	return f.write(env.out, func(w io.Writer) error {
		switch f.format {
		case "json":
			return report.WriteJSON(w)
		case "html":
			return report.WriteHTML(w)
		}
		return report.WriteTable(w)
	})
}

// isAmount reports whether a number is finite and not negative.
func isAmount(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }

// check looks for flags that do not fit together.
func (f *historyFlags) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch {
	case f.source == "" && f.demand == "":
		fail("give a history with --source and --from, or a demand with --demand and --per-worker")
	case f.source != "" && f.demand != "":
		fail("--source and --demand: give one of them")
	case f.source != "" && f.from == "":
		fail("--source needs --from")
	case f.demand != "" && (!isAmount(f.perWorker) || f.perWorker == 0):
		fail("--demand needs --per-worker: the amount, above 0, that one worker does in a step")
	}
	if err := f.checkNumbers(); err != nil {
		errs = append(errs, err)
	}
	if !oneOf(f.format, f.formats) {
		fail("--format %q: must be %s", f.format, f.formats)
	}
	return errors.Join(errs...)
}

// checkNumbers looks for numbers that are out of range.
func (f *historyFlags) checkNumbers() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if f.startDelay < 0 || f.startDelay > longestStart {
		fail("--start-delay %v: must be between 0s and %v", f.startDelay, longestStart)
	}
	if err := config.CheckInterval(f.interval); err != nil {
		fail("--interval %v: %w", f.interval, err)
	}
	if err := config.CheckQueryOffset(f.queryOffset); err != nil {
		fail("--query-offset %v: %w", f.queryOffset, err)
	}
	if !isAmount(f.costPerReplicaHour) {
		fail("--cost-per-replica-hour %v: must be a number that is not negative", f.costPerReplicaHour)
	}
	return errors.Join(errs...)
}

// load reads the manifest, and the history or the demand.
func (f *historyFlags) load(ctx context.Context, paths []string, env environment, p *progress) (*backtest.Plan, simulate.Loop, error) {
	files, err := manifest.Files(paths, env.in, false)
	if err != nil {
		return nil, simulate.Loop{}, err
	}
	plan, err := backtest.NewPlan(files, f.object, trigger.Server{Interval: f.interval})
	if err != nil {
		return nil, simulate.Loop{}, err
	}
	around := backtest.Environment{StartDelay: f.startDelay, QueryOffset: f.queryOffset}
	if f.demand != "" {
		demand, err := f.readDemand(env.in)
		if err != nil {
			return nil, simulate.Loop{}, fmt.Errorf("%s: %w", f.demand, err)
		}
		if err := plan.CheckLength(demand); err != nil {
			return nil, simulate.Loop{}, fmt.Errorf("%s: %w", f.demand, err)
		}
		plan = plan.WithoutHistory()
		return plan, plan.Loop(demand, nil, around), nil
	}
	history, err := f.fetch(ctx, plan, p)
	if err != nil {
		return nil, simulate.Loop{}, err
	}
	plan = plan.WithHistory(history)
	return plan, plan.Loop(history.Demand, &history.Recorded, around), nil
}

func (f *historyFlags) readDemand(in io.Reader) (simulate.Demand, error) {
	if f.demand == manifest.Stdin {
		return backtest.ReadDemand(in, f.perWorker)
	}
	file, err := os.Open(f.demand)
	if err != nil {
		return simulate.Demand{}, err
	}
	defer file.Close()
	return backtest.ReadDemand(file, f.perWorker)
}

func (f *historyFlags) fetch(ctx context.Context, plan *backtest.Plan, p *progress) (*backtest.History, error) {
	now := time.Now()
	from, err := backtest.ParseTime(f.from, now)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--from: %w", err)}
	}
	to, err := backtest.ParseTime(f.to, now)
	if err != nil {
		return nil, &usageError{fmt.Errorf("--to: %w", err)}
	}
	source, err := promquery.NewSource(promquery.NewSourceConfig("source", f.source))
	if err != nil {
		return nil, &usageError{fmt.Errorf("--source: %w", err)}
	}
	defer source.Close()
	return backtest.Fetch(ctx, source, plan, backtest.Span{
		From: from, To: to, ReplicasQuery: f.replicasQuery, Progress: p.stage("history"),
	})
}

// write opens the output and has it written.
func (f *historyFlags) write(out io.Writer, write func(io.Writer) error) error {
	if f.output == "" {
		return write(out)
	}
	file, err := os.Create(f.output)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}
