package promquery_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v2"
)

// withHTTP returns a source whose HTTP settings are given in YAML.
func withHTTP(t *testing.T, address, settings string) *promquery.Source {
	t.Helper()
	cfg := promquery.NewSourceConfig("default", address)
	if err := yaml.UnmarshalStrict([]byte(settings), &cfg.HTTP); err != nil {
		t.Fatal(err)
	}
	return openSource(t, cfg)
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func ask(t *testing.T, s *promquery.Source) error {
	t.Helper()
	_, err := s.Instant(soon(t), "zmy", time.Unix(15, 0))
	return err
}

// lastHeader returns a header of the newest request.
func lastHeader(t *testing.T, s *promquerytest.Server, name string) string {
	t.Helper()
	all := s.Requests()
	if len(all) == 0 {
		t.Fatal("no request arrived")
	}
	return all[len(all)-1].Header.Get(name)
}

func TestAuthHeaders(t *testing.T) {
	dir := t.TempDir()
	secret := writeFile(t, filepath.Join(dir, "secret"), password)
	tests := []struct {
		name     string
		settings string
		header   string
		want     string
	}{
		{name: "none", settings: "{}", header: "Authorization"},
		{name: "basic", settings: "basic_auth: {username: u, password: " + password + "}", header: "Authorization", want: "Basic dTpodW50ZXIy"},
		{name: "basic from a file", settings: "basic_auth: {username: u, password_file: " + secret + "}", header: "Authorization", want: "Basic dTpodW50ZXIy"},
		{name: "bearer", settings: "authorization: {credentials: " + password + "}", header: "Authorization", want: "Bearer " + password},
		{name: "header", settings: "http_headers: {X-Scope-OrgID: {values: [team]}}", header: "X-Scope-OrgID", want: "team"},
		{name: "header from a file", settings: "http_headers: {X-Token: {files: [" + secret + "]}}", header: "X-Token", want: password},
		{name: "agent", settings: "{}", header: "User-Agent", want: "zmy-scaler"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := promquerytest.New(t, "load 15s\n zmy 0.5x4")
			src := withHTTP(t, server.URL, tt.settings)
			if err := ask(t, src); err != nil {
				t.Fatal(err)
			}
			if got := lastHeader(t, server, tt.header); got != tt.want {
				t.Errorf("%s: %q, want %q", tt.header, got, tt.want)
			}
			server.Fail(http.StatusUnauthorized)
			wantKind(t, ask(t, src), promquery.KindAuth)
		})
	}
}

func TestBearerFileIsReadAgain(t *testing.T) {
	server := promquerytest.New(t, "load 15s\n zmy 0.5x4")
	file := writeFile(t, filepath.Join(t.TempDir(), "token"), "one")
	src := withHTTP(t, server.URL, "authorization: {credentials_file: "+file+"}")
	for _, token := range []string{"one", "two"} {
		writeFile(t, file, token+"\n")
		if err := ask(t, src); err != nil {
			t.Fatal(err)
		}
		if got := lastHeader(t, server, "Authorization"); got != "Bearer "+token {
			t.Errorf("Authorization: %q, want the token %q", got, token)
		}
	}
}

func TestUserAgent(t *testing.T) {
	server := promquerytest.New(t, "load 15s\n zmy 0.5x4")
	if err := ask(t, newSource(t, server.URL, promquery.WithUserAgent("zmy/1.2"))); err != nil {
		t.Fatal(err)
	}
	if got := lastHeader(t, server, "User-Agent"); got != "zmy/1.2" {
		t.Errorf("User-Agent: %q", got)
	}
}

func TestOAuth2(t *testing.T) {
	server := promquerytest.New(t, "load 15s\n zmy 0.5x4")
	var refuse atomic.Bool
	var asked atomic.Int64
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, secret, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		if refuse.Load() || secret != password {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":"no","hint":%q}`, password)
			return
		}
		fmt.Fprint(w, `{"access_token":"abc","token_type":"Bearer","expires_in":3600}`)
	}))
	t.Cleanup(tokens.Close)
	settings := "oauth2: {client_id: id, client_secret: " + password + ", token_url: " + tokens.URL + "/token}"

	src := withHTTP(t, server.URL, settings)
	for range 2 {
		if err := ask(t, src); err != nil {
			t.Fatal(err)
		}
	}
	if got := lastHeader(t, server, "Authorization"); got != "Bearer abc" {
		t.Errorf("Authorization: %q", got)
	}
	if got := asked.Load(); got != 1 {
		t.Errorf("asked for a token %d times, want 1", got)
	}

	refuse.Store(true)
	err := ask(t, withHTTP(t, server.URL, settings))
	wantKind(t, err, promquery.KindAuth)
	if !strings.Contains(err.Error(), "the token endpoint answered with HTTP status 401") {
		t.Error(err)
	}
	tokens.Close()
	wantKind(t, ask(t, withHTTP(t, server.URL, settings)), promquery.KindUnreachable)
}

func TestProxy(t *testing.T) {
	server := promquerytest.New(t, "load 15s\n zmy 0.5x4")
	back, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var host atomic.Value
	forward := proxyTo(back)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host.Store(r.Host)
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	if err := ask(t, withHTTP(t, "http://prometheus.invalid:9090", "proxy_url: "+proxy.URL)); err != nil {
		t.Fatal(err)
	}
	if got := host.Load(); got != "prometheus.invalid:9090" {
		t.Errorf("the proxy was asked for %v", got)
	}
}

func TestClientCertificate(t *testing.T) {
	dir := t.TempDir()
	ca := newAuthority(t)
	serverCert := ca.issue(t, x509.ExtKeyUsageServerAuth)
	server := promquerytest.New(t, "load 15s\n zmy 0.5x4")
	back, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewUnstartedServer(proxyTo(back))
	front.TLS = &tls.Config{Certificates: []tls.Certificate{serverCert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool}
	front.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // the failures are provoked
	front.StartTLS()
	t.Cleanup(front.Close)

	caFile := writeFile(t, filepath.Join(dir, "ca.pem"), pemOf("CERTIFICATE", ca.cert.Raw))
	clientCert := ca.issue(t, x509.ExtKeyUsageClientAuth)
	key, err := x509.MarshalPKCS8PrivateKey(clientCert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile := writeFile(t, filepath.Join(dir, "cert.pem"), pemOf("CERTIFICATE", clientCert.Certificate[0]))
	keyFile := writeFile(t, filepath.Join(dir, "key.pem"), pemOf("PRIVATE KEY", key))

	cfg := promquery.NewSourceConfig("default", front.URL)
	cfg.HTTP.TLSConfig = config.TLSConfig{CAFile: "ca.pem", CertFile: "cert.pem", KeyFile: "key.pem"}
	cfg.SetDirectory(dir)
	if err := ask(t, openSource(t, cfg)); err != nil {
		t.Errorf("with a certificate: %v", err)
	}
	cfg.HTTP.TLSConfig = config.TLSConfig{CAFile: caFile}
	wantKind(t, ask(t, openSource(t, cfg)), promquery.KindUnreachable)
	cfg.HTTP.TLSConfig = config.TLSConfig{CertFile: certFile, KeyFile: keyFile}
	wantKind(t, ask(t, openSource(t, cfg)), promquery.KindUnreachable)
}

// authority is a certificate authority for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, pool: x509.NewCertPool()}
	a.cert = a.sign(t, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, key)
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) issue(t *testing.T, usage x509.ExtKeyUsage) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{usage}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	cert := a.sign(t, template, a.cert, key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

func (a *authority) sign(t *testing.T, template, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: "test"}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
