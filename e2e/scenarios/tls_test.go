package scenarios

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/pki"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// mutual makes the scaler believe nobody but KEDA.
const mutual = `
grpc:
  tls:
    certFile: @FILES@/tls.crt
    keyFile: @FILES@/tls.key
    clientCAFile: @FILES@/ca.crt
    allowedClientNames: [keda-operator.keda.svc]
`

// authentication gives KEDA its certificate.
const authentication = `
apiVersion: v1
kind: Secret
metadata: {name: keda-client-tls}
data: {ca.crt: %[1]s, tls.crt: %[2]s, tls.key: %[3]s}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {name: client}
spec:
  secretTargetRef:
  - {parameter: caCert, name: keda-client-tls, key: ca.crt}
  - {parameter: tlsClientCert, name: keda-client-tls, key: tls.crt}
  - {parameter: tlsClientKey, name: keda-client-tls, key: tls.key}
---
apiVersion: keda.sh/v1alpha1
kind: TriggerAuthentication
metadata: {name: nobody}
spec:
  secretTargetRef:
  - {parameter: caCert, name: keda-client-tls, key: ca.crt}
`

// mutualTLS has KEDA and the scaler prove who they are. The scaler's certificate is
// rotated while it works; who shows none is refused.
func mutualTLS(t *testing.T, w stage.World) {
	ca, err := pki.New("team")
	must(t, err)
	s, ctx := stage.New(t, w, stage.Options{Install: func(s *stage.Stage) cluster.ScalerOptions {
		server := issue(t, ca, "zmy-scaler."+s.Namespace)
		return cluster.ScalerOptions{
			Replicas: 2,
			Config:   s.Config() + mutual,
			Files:    map[string][]byte{"tls.crt": server.Cert, "tls.key": server.Key, "ca.crt": ca.PEM},
		}
	}})
	client := issue(t, ca, "keda-operator.keda.svc")
	encode := base64.StdEncoding.EncodeToString
	s.ApplyText(ctx, fmt.Sprintf(authentication, encode(ca.PEM), encode(client.Cert), encode(client.Key)))
	s.Work(2)
	// KEDA without a certificate of its own is told nothing.
	s.Apply(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{Authentication: "nobody"}}})
	s.Condition(ctx, "Ready", "False")
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{Authentication: "client"}}})
	s.Condition(ctx, "Ready", "True")
	before := s.Trouble()
	old := serial(ctx, t, s, ca, client)
	s.Stays(ctx, 2*time.Second)

	rotated := issue(t, ca, "zmy-scaler."+s.Namespace)
	must(t, s.Scaler.Put("tls.key", rotated.Key))
	must(t, s.Scaler.Put("tls.crt", rotated.Cert))
	must(t, wait.Within(ctx, 30*time.Second, "the new certificate", func(ctx context.Context) error {
		if now := serial(ctx, t, s, ca, client); now == old {
			return errors.New("the old one is still shown")
		}
		return nil
	}))
	s.Stays(ctx, resolves)
	must(t, s.Scaler.Roll(ctx)) // whereupon KEDA meets the new one
	s.Work(3.2)
	s.Becomes(ctx, 11)
	s.HPAWants(ctx, 11)
	s.Went(4, 11)
	if trouble := s.Trouble(); len(trouble) > len(before) {
		t.Errorf("the HPA complained: %q", trouble)
	}
	if _, err := shake(ctx, s, ca); err == nil {
		t.Error("a client without a certificate was served")
	}
}

func issue(t *testing.T, ca *pki.Authority, name string) pki.Pair {
	t.Helper()
	pair, err := ca.Issue(pki.Subject{Name: name, Names: []string{name}})
	must(t, err)
	return pair
}

// serial returns the number of the certificate that the scaler shows.
func serial(ctx context.Context, t *testing.T, s *stage.Stage, ca *pki.Authority, client pki.Pair) string {
	t.Helper()
	n, err := shake(ctx, s, ca, client)
	must(t, err)
	return n
}

// shake connects, sees that the connection lasts, and returns the number of the
// certificate that the scaler shows.
func shake(ctx context.Context, s *stage.Stage, ca *pki.Authority, own ...pki.Pair) (string, error) {
	config, err := ca.ClientConfig(own...)
	if err != nil {
		return "", err
	}
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", s.Scaler.Address())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	// A server that refuses a client says so after the handshake; one that does not
	// sends its settings.
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.ReadFull(conn, make([]byte, 9)); err != nil {
		return "", err
	}
	secure, ok := conn.(*tls.Conn)
	if !ok {
		return "", fmt.Errorf("a %T", conn)
	}
	return secure.ConnectionState().PeerCertificates[0].SerialNumber.String(), nil
}
