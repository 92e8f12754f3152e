package client

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/pki"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// write writes files of a directory.
func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// files are what a server needs, named as in a Kubernetes TLS secret.
func files(own pki.Pair, clients *pki.Authority) map[string]string {
	return map[string]string{"tls.crt": own.Cert, "tls.key": own.Key, "ca.crt": clients.PEM}
}

// tlsBlock is the configuration for the files in dir.
func tlsBlock(dir string, allowed ...string) map[string]any {
	b := map[string]any{
		"certFile": filepath.Join(dir, "tls.crt"), "keyFile": filepath.Join(dir, "tls.key"),
		"clientCAFile": filepath.Join(dir, "ca.crt"),
	}
	if len(allowed) > 0 {
		b["allowedClientNames"] = allowed
	}
	return b
}

// auth is what a TriggerAuthentication gives.
func auth(ca *pki.Authority, own pki.Pair) map[string]string {
	return map[string]string{"caCert": ca.PEM, "tlsClientCert": own.Cert, "tlsClientKey": own.Key}
}

// startTLS runs a scaler with a certificate of ca, for clients of another.
func startTLS(t *testing.T, name string, p *promquerytest.Server, ca, clients *pki.Authority, allowed ...string) *rig.Scaler {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, files(ca.Server(t), clients))
	return rig.StartScaler(t, name, rig.Config{Sources: map[string]string{"default": p.URL}, TLS: tlsBlock(dir, allowed...)}.Write(t))
}

// TestMutualTLS has KEDA's client come with all kinds of certificates.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	ca, clients, stranger := pki.New(t, "server CA"), pki.New(t, "client CA"), pki.New(t, "another CA")
	p := promquerytest.New(t, "")
	steady(t, p, "zmy", 0.5)
	steady(t, p, "workers", 4)
	everyone, some := startTLS(t, "for every client", p, ca, clients), startTLS(t, "for some clients", p, ca, clients, "keda.example", "other.example")
	operator := clients.Client(t, "keda.example")
	tests := []struct {
		name     string
		scaler   *rig.Scaler
		host     string
		metadata map[string]string
		auth     map[string]string
		refused  bool
		says     string // by the client's own side; a refusal by the scaler may arrive as a cut connection
	}{
		{name: "a client of the CA", scaler: everyone, auth: auth(ca, operator)},
		{name: "by name", scaler: everyone, host: "localhost", auth: auth(ca, operator)},
		{name: "a client without a certificate", scaler: everyone, auth: map[string]string{"caCert": ca.PEM}, refused: true},
		{name: "a client that trusts anything", scaler: everyone, metadata: map[string]string{"enableTLS": "true", "unsafeSsl": "true"}, refused: true},
		{name: "a client of another CA", scaler: everyone, auth: auth(ca, stranger.Client(t, "keda.example")), refused: true},
		{name: "a client that trusts another CA", scaler: everyone, auth: auth(stranger, operator), refused: true, says: "unknown authority"},
		{name: "a client in plain text", scaler: everyone, refused: true},
		{name: "an allowed client", scaler: some, auth: auth(ca, operator)},
		{name: "a client that is not allowed", scaler: some, auth: auth(ca, clients.Client(t, "intruder.example")), refused: true},
		{name: "a client with a longer name", scaler: some, auth: auth(ca, clients.Client(t, "not.keda.example")), refused: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			address := tc.scaler.GRPC
			if tc.host != "" {
				address = tc.host + address[strings.LastIndex(address, ":"):]
			}
			s := rig.Trigger{
				Address: address, Auth: tc.auth,
				Metadata: merge(map[string]string{"zmyQuery": "zmy", "replicasQuery": "workers"}, tc.metadata),
			}.Poll(t)
			got, err := rig.Ask(ctx, s)
			switch {
			case tc.refused:
				if status.Code(err) != codes.Unavailable || !strings.Contains(err.Error(), tc.says) {
					t.Fatalf("got %+v, %v; want it refused, saying %q", got, err, tc.says)
				}
				if spec := s.GetMetricSpecForScaling(ctx); len(spec) != 0 {
					t.Errorf("was told the spec %v", spec)
				}
			case err != nil:
				t.Fatal(err)
			case got != rig.Answer{Milli: 4 * target, Active: true}:
				t.Errorf("got %+v", got)
			}
		})
	}
}
