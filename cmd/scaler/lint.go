package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/internal/lint"
	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// lintFlags are the flags of lint.
type lintFlags struct {
	output, source, kubernetes string
	failOn                     lint.Severity
	interval                   time.Duration
	skip                       []string
	recursive                  bool
}

// errFound tells that there are findings; they have been written.
var errFound = errors.New("there are findings")

func newLint(env environment) *cobra.Command {
	f := lintFlags{failOn: lint.Error}
	cmd := &cobra.Command{
		Use:   "lint FILE...",
		Short: "Check ScaledObject manifests before they are applied",
		Long: `lint reads manifests as kubectl does: files with several documents, Lists, the
.yaml, .yml and .json files of directories, globs, and - for the standard input.
It checks the triggers of this scaler with the scaler's own table of keys, and
looks for what is valid and rarely meant: delays that add up, ways to zero without
a way back, policies that stop halfway. Other kinds of objects and of triggers are
left alone. It asks nobody, unless a source is given.

Exit code 0: nothing found, or nothing as bad as --fail-on. 1: errors, or a file
or source that cannot be read. 2: a mistake on the command line.`,
		Args: usage(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runLint(cmd.Context(), f, args, env)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&f.output, "output", "o", "text", "`text|json|sarif`")
	flags.StringVar(&f.source, "source", "", "`URL` of a Prometheus to ask for every query: does it give one number, in range?")
	flags.StringVar(&f.kubernetes, "kubernetes", kube.ModeAuto, "`auto|off`, as the scaler is run")
	flags.DurationVar(&f.interval, "interval", time.Duration(config.Default().Evaluation.Interval), "the scaler's evaluation.interval")
	flags.TextVar(&f.failOn, "fail-on", lint.Error, "the mildest `info|warning|error` that fails")
	flags.StringSliceVar(&f.skip, "skip", nil, "`IDs` of rules not to look for, separated by commas")
	flags.BoolVarP(&f.recursive, "recursive", "R", false, "directories with all below them")
	return cmd
}

func runLint(ctx context.Context, f lintFlags, paths []string, env environment) error {
	options, err := f.options()
	if err != nil {
		return &usageError{err}
	}
	write, ok := f.writer(env)
	if !ok {
		return &usageError{fmt.Errorf("--output %q: must be text, json or sarif", f.output)}
	}
	files, err := manifest.Files(paths, env.in, f.recursive)
	if err != nil {
		return err
	}
	if f.source != "" {
		source, err := promquery.NewSource(promquery.NewSourceConfig("source", f.source))
		if err != nil {
			return &usageError{fmt.Errorf("--source: %w", err)}
		}
		defer source.Close()
		options.Source, options.Now = source, time.Now()
	}
	report, err := lint.Check(ctx, files, options)
	if werr := write(&report); werr != nil {
		return errors.Join(err, werr)
	}
	if worst, found := report.Worst(); err == nil && found && worst >= f.failOn {
		return errFound
	}
	return err
}

// options checks the flags.
func (f lintFlags) options() (lint.Options, error) {
	if f.kubernetes != kube.ModeAuto && f.kubernetes != kube.ModeOff {
		return lint.Options{}, fmt.Errorf("--kubernetes %q: must be auto or off", f.kubernetes)
	}
	if err := config.CheckInterval(f.interval); err != nil {
		return lint.Options{}, fmt.Errorf("--interval %v: %w", f.interval, err)
	}
	if err := lint.CheckIDs(f.skip); err != nil {
		return lint.Options{}, fmt.Errorf("--skip: %w", err)
	}
	return lint.Options{
		Server: trigger.Server{Interval: f.interval}, NoKubernetes: f.kubernetes == kube.ModeOff, Skip: f.skip,
	}, nil
}

// writer returns how the report is written. What is for people alone goes to the
// error output in any case.
func (f lintFlags) writer(env environment) (write func(*lint.Report) error, ok bool) {
	switch f.output {
	case "text":
		return func(r *lint.Report) error { return errors.Join(r.WriteText(env.out), r.WriteNotes(env.err)) }, true
	case "json":
		return func(r *lint.Report) error { return r.WriteJSON(env.out) }, true
	case "sarif":
		return func(r *lint.Report) error { return writeSARIF(r, env.out) }, true
	}
	return nil, false
}

func writeSARIF(r *lint.Report, w io.Writer) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	return r.WriteSARIF(w, version, dir)
}
