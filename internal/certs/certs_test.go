package certs_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/test/bufconn"

	"github.com/infra-arch/zmy-scaler/internal/certs"
)

// authority issues certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t: t, cert: cert, key: key, pem: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue returns a certificate and key in PEM.
func (a *authority) issue(serial int64, edit func(*x509.Certificate)) (certPEM, keyPEM []byte) {
	a.t.Helper()
	key := newKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "keda"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"scaler"},
	}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})
}

// client returns a client's configuration, with a certificate unless edit is nil.
func (a *authority) client(edit func(*x509.Certificate)) *tls.Config {
	a.t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	c := &tls.Config{RootCAs: pool, ServerName: "scaler"}
	if edit != nil {
		pair, err := tls.X509KeyPair(a.issue(99, edit))
		if err != nil {
			a.t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}

func write(t *testing.T, file string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// shake connects client and server and returns the serial the client saw, and
// the first error of either side. A client learns that it was refused only when
// it reads.
func shake(t *testing.T, server, client *tls.Config) (int64, error) {
	t.Helper()
	pipe := bufconn.Listen(1 << 16)
	defer pipe.Close()
	failed := make(chan error, 1)
	go func() {
		conn, err := tls.NewListener(pipe, server).Accept()
		if err != nil {
			failed <- err
			return
		}
		defer conn.Close()
		if err = conn.(*tls.Conn).HandshakeContext(t.Context()); err == nil {
			_, err = conn.Write([]byte("x"))
		}
		failed <- err
	}()
	raw, err := pipe.DialContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(raw, client)
	defer c.Close()
	if err = c.HandshakeContext(t.Context()); err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	if serverErr := <-failed; serverErr != nil {
		err = serverErr
	}
	if err != nil {
		return 0, err
	}
	return c.ConnectionState().PeerCertificates[0].SerialNumber.Int64(), nil
}

func TestRotation(t *testing.T) {
	t.Parallel()
	ca, dir := newAuthority(t), t.TempDir()
	certPEM, keyPEM := ca.issue(1, nil)
	files := certs.Files{Cert: write(t, filepath.Join(dir, "tls.crt"), certPEM), Key: write(t, filepath.Join(dir, "tls.key"), keyPEM)}
	var log bytes.Buffer
	w, err := certs.New(files, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	server, client := w.Config(), ca.client(nil)
	expect := func(want int64) {
		t.Helper()
		if got, err := shake(t, server, client); err != nil || got != want {
			t.Errorf("serial %d, %v; want %d", got, err, want)
		}
	}
	expect(1)

	// Half of a rotation: the new certificate without its key.
	certPEM, keyPEM = ca.issue(22, nil)
	write(t, files.Cert, certPEM)
	expect(1)
	expect(1)
	if n := strings.Count(log.String(), "cannot be reloaded"); n != 1 {
		t.Errorf("half a rotation was logged %d times, want once", n)
	}
	write(t, files.Key, keyPEM)
	expect(22)

	// As a Secret's volume is updated: another file under the same name.
	certPEM, keyPEM = ca.issue(333, nil)
	for file, content := range map[string][]byte{files.Cert: certPEM, files.Key: keyPEM} {
		if err := os.Rename(write(t, file+".new", content), file); err != nil {
			t.Fatal(err)
		}
	}
	expect(333)

	if err := os.Remove(files.Cert); err != nil {
		t.Fatal(err)
	}
	expect(333)
}

func TestClients(t *testing.T) {
	t.Parallel()
	ca, stranger, dir := newAuthority(t), newAuthority(t), t.TempDir()
	certPEM, keyPEM := ca.issue(1, nil)
	files := certs.Files{
		Cert: write(t, filepath.Join(dir, "tls.crt"), certPEM), Key: write(t, filepath.Join(dir, "tls.key"), keyPEM),
		ClientCA:           write(t, filepath.Join(dir, "ca.crt"), ca.pem),
		AllowedClientNames: []string{"keda", "spiffe://cluster/keda", "keda.svc", "10.1.2.3"},
	}
	named := func(name string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = name, nil }
	}
	foreign := stranger.client(named("keda"))
	foreign.RootCAs = ca.client(nil).RootCAs
	tests := []struct {
		name   string
		client *tls.Config
		ok     bool
	}{
		{name: "by common name", client: ca.client(named("keda")), ok: true},
		{name: "by DNS name", client: ca.client(func(c *x509.Certificate) { c.Subject.CommonName, c.DNSNames = "", []string{"x", "keda.svc"} }), ok: true},
		{name: "by address", client: ca.client(func(c *x509.Certificate) { c.Subject.CommonName, c.IPAddresses = "", []net.IP{net.IPv4(10, 1, 2, 3)} }), ok: true},
		{name: "by URI", client: ca.client(func(c *x509.Certificate) {
			c.Subject.CommonName, c.URIs = "", []*url.URL{{Scheme: "spiffe", Host: "cluster", Path: "/keda"}}
		}), ok: true},
		{name: "of another name", client: ca.client(named("intruder"))},
		{name: "without a certificate", client: ca.client(nil)},
		{name: "of another CA", client: foreign},
	}
	w, err := certs.New(files, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := shake(t, w.Config(), tt.client); (err == nil) != tt.ok {
				t.Errorf("handshake: %v", err)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	ca, dir := newAuthority(t), t.TempDir()
	certPEM, keyPEM := ca.issue(1, nil)
	cert, key := write(t, filepath.Join(dir, "tls.crt"), certPEM), write(t, filepath.Join(dir, "tls.key"), keyPEM)
	junk := write(t, filepath.Join(dir, "junk"), []byte("junk"))
	missing := filepath.Join(dir, "missing")
	tests := []struct {
		name  string
		files certs.Files
	}{
		{name: "no certificate", files: certs.Files{Cert: missing, Key: key}},
		{name: "a certificate that is none", files: certs.Files{Cert: junk, Key: key}},
		{name: "no client CA", files: certs.Files{Cert: cert, Key: key, ClientCA: missing}},
		{name: "a client CA that is none", files: certs.Files{Cert: cert, Key: key, ClientCA: junk}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := certs.New(tt.files, slog.New(slog.DiscardHandler)); err == nil || errors.Is(err, certs.ErrClientName) {
				t.Errorf("got %v", err)
			}
		})
	}
}
