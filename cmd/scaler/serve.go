package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/infra-arch/zmy-scaler/internal/app"
	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/internal/events"
	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// serveFlags are the flags of serve. Those that repeat a key of the
// configuration file win over it when they are given.
type serveFlags struct {
	config, prometheusURL    string
	grpcAddress, httpAddress string
	kubernetes, kubeconfig   string
	tlsCert, tlsKey, tlsCA   string
	logFormat, logLevel      string
	pprof                    bool
	drainDelay               time.Duration
}

func newServe(env environment) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve KEDA: gRPC for it, HTTP for people and probes",
		Args:  usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), f, env.err)
		},
	}
	flags, defaults := cmd.Flags(), config.Default()
	flags.StringVar(&f.config, "config", "", "configuration `FILE`")
	flags.StringVar(&f.prometheusURL, "prometheus-url", "", "`URL` of the source named default, without a configuration file")
	flags.StringVar(&f.grpcAddress, "grpc-address", "", fmt.Sprintf("`ADDRESS` for KEDA (default %q)", defaults.GRPC.Address))
	flags.StringVar(&f.httpAddress, "http-address", "", fmt.Sprintf("`ADDRESS` for probes and metrics (default %q)", defaults.HTTP.Address))
	flags.StringVar(&f.kubernetes, "kubernetes", kube.ModeAuto, "`auto|off`: read Kubernetes where it can be found, or never")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "kubeconfig `FILE`, outside of a cluster")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "`FILE` with the server's certificate, in PEM; reloaded when it changes")
	flags.StringVar(&f.tlsKey, "tls-key", "", "`FILE` with the certificate's key, in PEM")
	flags.StringVar(&f.tlsCA, "tls-client-ca", "", "`FILE` with the CA that clients must have their certificates from, in PEM")
	flags.StringVar(&f.logFormat, "log-format", "text", "`text|json`")
	flags.StringVar(&f.logLevel, "log-level", "info", "`debug|info|warn|error`")
	flags.BoolVar(&f.pprof, "http-pprof", false, "serve /debug/pprof")
	flags.DurationVar(&f.drainDelay, "drain-delay", 2*time.Second, "how long to go on answering after the signal to stop, so that clients learn of it first")
	return cmd
}

func serve(ctx context.Context, f serveFlags, logs io.Writer) error {
	log, err := newLogger(logs, f.logFormat, f.logLevel)
	if err != nil {
		return err
	}
	cfg, err := f.load()
	if err != nil {
		return err
	}
	o := app.Options{
		Config: cfg, Build: build(), Clock: clock.Real(), Log: log,
		Profiling: f.pprof, LameDuck: f.drainDelay,
	}
	if f.kubernetes != kube.ModeAuto && f.kubernetes != kube.ModeOff {
		return &usageError{fmt.Errorf("--kubernetes %q: must be auto or off", f.kubernetes)}
	}
	rest, err := kube.Config(f.kubernetes, f.kubeconfig)
	if err != nil {
		return err
	}
	if rest == nil && f.kubernetes == kube.ModeAuto && kube.InPod() {
		log.Warn("this pod has no service account token: running as with --kubernetes=off, where a trigger of metricType Value must say so in its metadata")
	}
	if rest != nil {
		if o.Cluster, err = kube.New(rest, log, time.Now); err != nil {
			return err
		}
		if o.Events, err = events.Client(rest); err != nil {
			return err
		}
	}
	a, err := app.New(ctx, o)
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// load reads the configuration file and lets the flags that were given win.
func (f serveFlags) load() (config.Config, error) {
	cfg := config.Default()
	if f.config != "" {
		var err error
		if cfg, err = config.Load(f.config); err != nil {
			return config.Config{}, err
		}
	}
	if f.prometheusURL != "" {
		cfg.Sources = withDefault(cfg.Sources, f.prometheusURL)
	}
	for _, o := range []struct {
		flag string
		key  *string
	}{
		{f.grpcAddress, &cfg.GRPC.Address},
		{f.httpAddress, &cfg.HTTP.Address},
		{f.tlsCert, &cfg.GRPC.TLS.CertFile},
		{f.tlsKey, &cfg.GRPC.TLS.KeyFile},
		{f.tlsCA, &cfg.GRPC.TLS.ClientCAFile},
	} {
		if o.flag != "" {
			*o.key = o.flag
		}
	}
	return cfg, nil
}

// withDefault points the source named default to a URL.
func withDefault(sources []promquery.SourceConfig, url string) []promquery.SourceConfig {
	const name = "default"
	for i := range sources {
		if sources[i].Name == name {
			sources[i].URL = url
			return sources
		}
	}
	return append(sources, promquery.NewSourceConfig(name, url))
}

func newLogger(w io.Writer, format, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(strings.ToUpper(level))); err != nil {
		return nil, &usageError{fmt.Errorf("--log-level %q: must be debug, info, warn or error", level)}
	}
	o := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return nil, &usageError{fmt.Errorf("--log-format %q: must be text or json", format)}
}
