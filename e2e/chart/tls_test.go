package chart

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"testing"

	core "k8s.io/api/core/v1"
)

// TestGeneratedCertificates verifies the certificates that Helm makes: each side
// as the other one does.
func TestGeneratedCertificates(t *testing.T) {
	t.Parallel()
	secrets := map[string]core.Secret{}
	for _, raw := range render(t, "-f", chart+"/ci/generated-values.yaml")["Secret"] {
		var s core.Secret
		if err := json.Unmarshal(raw, &s); err != nil {
			t.Fatal(err)
		}
		secrets[s.Namespace+"/"+s.Name] = s
	}
	tests := []struct {
		name, secret, trusts string
		names                []string
		usage                x509.ExtKeyUsage
	}{
		{
			name: "the scaler, by KEDA", secret: "zmy-system/zmy-scaler-tls", trusts: "keda/zmy-scaler-keda-tls", usage: x509.ExtKeyUsageServerAuth,
			names: []string{"zmy-scaler.zmy-system", "zmy-scaler.zmy-system.svc", "zmy-scaler.zmy-system.svc.cluster.local", "127.0.0.1"},
		},
		{
			name: "KEDA, by the scaler", secret: "keda/zmy-scaler-keda-tls", trusts: "zmy-system/zmy-scaler-tls", usage: x509.ExtKeyUsageClientAuth,
			names: []string{"keda-operator"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			own := secrets[tt.secret].Data
			pair, err := tls.X509KeyPair(own["tls.crt"], own["tls.key"])
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(secrets[tt.trusts].Data["ca.crt"])
			for _, name := range tt.names {
				if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, KeyUsages: []x509.ExtKeyUsage{tt.usage}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
