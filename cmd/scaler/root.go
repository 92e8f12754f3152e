package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/infra-arch/zmy-scaler/internal/demo"
	"github.com/infra-arch/zmy-scaler/internal/metrics"
)

// environment is what a command line lives in.
type environment struct {
	in       io.Reader
	out, err io.Writer
	lookup   func(string) (string, bool)
	// terminal is what out is, for commands that draw.
	terminal demo.Terminal
}

// usageError is a command line that cannot be carried out as it was typed.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// newRoot returns the command line.
func newRoot(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:   "scaler",
		Short: "A KEDA external scaler that resizes workers by their yield",
		Long: `scaler asks Prometheus for the yield of a service, the idle share of what its
workers feed, and tells KEDA how many workers there should be: up when it is
low, down when it has been high for a while, and otherwise nothing.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.Help(); err != nil {
				return err
			}
			return &usageError{errors.New("no command given")}
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return fromEnvironment(cmd.Flags(), env.lookup)
		},
	}
	root.SetOut(env.out)
	root.SetErr(env.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(newServe(env), newExplain(env), newLint(env), newBacktest(env), newTune(env), newDemo(env), newVersion(env))
	return root
}

// usage marks what is wrong with the arguments as a mistake of usage.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return &usageError{err}
		}
		return nil
	}
}

// fromEnvironment sets every flag that was not given from its variable: --a-b
// from ZMY_A_B.
func fromEnvironment(flags *pflag.FlagSet, lookup func(string) (string, bool)) error {
	var errs []error
	flags.VisitAll(func(f *pflag.Flag) {
		name := variable(f.Name)
		value, ok := lookup(name)
		if f.Changed || !ok || f.Name == "help" {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			errs = append(errs, &usageError{fmt.Errorf("%s: %w", name, err)})
		}
	})
	return errors.Join(errs...)
}

// variable returns the environment variable of a flag.
func variable(flag string) string {
	return "ZMY_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func build() metrics.Build { return metrics.Build{Version: version, Commit: commit} }
