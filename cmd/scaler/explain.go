package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/infra-arch/zmy-scaler/internal/explain"
	"github.com/infra-arch/zmy-scaler/internal/introspect"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	address, metric, output      string
	tls                          bool
	tlsCA, tlsCert, tlsKey, name string
	timeout                      time.Duration
}

func newExplain(env environment) *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain NAMESPACE/NAME",
		Short: "Ask a running scaler why a ScaledObject is as it is, and what comes next",
		Long: `explain asks a running scaler over gRPC why it tells KEDA what it does: the
numbers, the band, the timers with the time left, the queries really sent, the
value told and what the HPA computes from it, what happens next and when, and
the last changes.`,
		Example: `  kubectl -n keda port-forward svc/zmy-scaler 6000 &
  scaler explain shop/checkout
  scaler explain shop/checkout -o json`,
		Args: usage(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runExplain(cmd.Context(), env, f, args[0])
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.address, "address", "localhost:6000", "gRPC address of the scaler")
	flags.StringVar(&f.metric, "metric", "", "only the trigger with this metricName")
	flags.StringVarP(&f.output, "output", "o", "text", "text or json")
	flags.BoolVar(&f.tls, "tls", false, "use TLS; implied by the other TLS flags")
	flags.StringVar(&f.tlsCA, "tls-ca", "", "file with the certificates that may have signed the scaler's; the system's by default")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "file with the client certificate")
	flags.StringVar(&f.tlsKey, "tls-key", "", "file with the client certificate's key")
	flags.StringVar(&f.name, "tls-server-name", "", "the name in the scaler's certificate, where it is not the address")
	flags.DurationVar(&f.timeout, "timeout", 10*time.Second, "how long to wait for the answer")
	return cmd
}

func runExplain(ctx context.Context, env environment, f explainFlags, object string) (err error) {
	namespace, name, ok := strings.Cut(object, "/")
	if !ok || namespace == "" || name == "" || strings.Contains(name, "/") {
		return &usageError{fmt.Errorf("%q: a ScaledObject is given as NAMESPACE/NAME", object)}
	}
	if f.output != "text" && f.output != "json" {
		return &usageError{fmt.Errorf("--output %q: must be text or json", f.output)}
	}
	secure, err := f.credentials()
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient(f.address, grpc.WithTransportCredentials(secure))
	if err != nil {
		return &usageError{fmt.Errorf("--address %q: %w", f.address, err)}
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	answer, err := zmyv1.NewIntrospectionClient(conn).Explain(ctx,
		&zmyv1.ExplainRequest{Namespace: namespace, Name: name, Metric: f.metric})
	if err != nil {
		return said(f.address, err)
	}
	if f.output == "json" {
		text, err := introspect.JSON(answer, "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(env.out, string(text))
		return err
	}
	return explain.Write(env.out, answer)
}

// said puts a gRPC error into words for a person.
func said(address string, err error) error {
	s := status.Convert(err)
	switch s.Code() {
	case codes.NotFound:
		return errors.New(s.Message())
	case codes.Unimplemented:
		return fmt.Errorf("what answers at %s is no zmy-scaler, or an older one", address)
	default:
		return fmt.Errorf("%s: %s: %s", address, s.Code(), s.Message())
	}
}

// credentials returns how to connect.
func (f explainFlags) credentials() (credentials.TransportCredentials, error) {
	if (f.tlsCert == "") != (f.tlsKey == "") {
		return nil, &usageError{errors.New("--tls-cert and --tls-key belong together")}
	}
	if !f.tls && f.tlsCA == "" && f.tlsCert == "" && f.name == "" {
		return insecure.NewCredentials(), nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.name}
	if f.tlsCA != "" {
		pem, err := os.ReadFile(f.tlsCA)
		if err != nil {
			return nil, fmt.Errorf("--tls-ca: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--tls-ca: %s holds no certificate", f.tlsCA)
		}
	}
	if f.tlsCert != "" {
		pair, err := tls.LoadX509KeyPair(f.tlsCert, f.tlsKey)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return credentials.NewTLS(cfg), nil
}
