package main

import (
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/infra-arch/zmy-scaler/internal/demo"
)

func newDemo(env environment) *cobra.Command {
	o := demo.Options{Out: env.out, Build: build(), Log: slog.New(slog.DiscardHandler)}
	var plain bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the whole loop on this machine, in one process",
		Long: `demo runs the scaler as serve does, on an embedded Prometheus engine, with
simulated workers, and a stand-in for KEDA and the HPA that calls the scaler over
gRPC on loopback. Its time runs faster than the clock. It ends on Ctrl-C, or after
--for, and then fails if it did not get to show a scale-up, hold, a scale-down,
inactivity and a wake.`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Terminal = env.terminal; plain {
				o.Terminal = demo.Terminal{}
			}
			_, err := demo.Run(cmd.Context(), o)
			if errors.Is(err, demo.ErrSpeed) {
				return &usageError{err}
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&o.For, "for", 0, "end after this long; 0 runs until Ctrl-C")
	flags.Float64Var(&o.Speed, "speed", demo.DefaultSpeed, "how much faster than the clock the demo's time runs")
	flags.BoolVar(&plain, "plain", false, "print a line a change, on a terminal too")
	flags.StringVar(&o.GRPCAddress, "grpc-address", "", "`ADDRESS` for KEDA's stand-in (default a free port on loopback)")
	flags.StringVar(&o.HTTPAddress, "http-address", "", "`ADDRESS` for the page, probes and metrics (default a free port on loopback)")
	return cmd
}
