package main

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/spf13/cobra"

	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/internal/tune"
)

func newTune(env environment) *cobra.Command {
	var f historyFlags
	policies := tune.DefaultPolicies
	cmd := &cobra.Command{
		Use:   "tune FILE...",
		Short: "Search the policy that suits a history, or a demand",
		Long: `tune replays history as backtest does, for many policies: thresholds, delays,
target, mode, and the yield's lookback. It fits them to the first half and judges
them on the second, and prints those that no other one is better than in
replica-hours, saturated minutes and changes; one of them it recommends, as
metadata to paste. It searches KEDA's plain Prometheus triggers too, and says so
where one of them is enough.`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if policies < 1 {
				return &usageError{fmt.Errorf("--policies %d: must be at least 1", policies)}
			}
			return runTune(cmd.Context(), &f, policies, args, env)
		},
	}
	f.register(cmd.Flags(), "table|json")
	cmd.Flags().IntVar(&policies, "policies", policies, "how many policies to try")
	return cmd
}

func runTune(ctx context.Context, f *historyFlags, policies int, paths []string, env environment) error {
	if err := f.check(); err != nil {
		return &usageError{err}
	}
	progress := newProgress(env.err)
	plan, loop, err := f.load(ctx, paths, env, progress)
	if err != nil {
		return err
	}
	tell := progress.stage("search")
	var one sync.Mutex
	report, err := tune.Run(ctx, plan, loop, tune.Options{
		Policies: policies, Server: trigger.Server{Interval: f.interval},
		Progress: func(done, total int) {
			one.Lock()
			defer one.Unlock()
			tell(float64(done) / float64(total))
		},
	})
	if err != nil {
		return err
	}
	progress.done(report.Notes)
	return f.write(env.out, func(w io.Writer) error {
		if f.format == "json" {
			return report.WriteJSON(w)
		}
		return report.WriteTable(w)
	})
}
