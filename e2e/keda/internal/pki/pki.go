// Package pki makes certificates for tests, which fail where it cannot.
package pki

import (
	"crypto/tls"
	"math/big"
	"testing"

	"github.com/infra-arch/zmy-scaler/e2e/internal/pki"
)

// Authority signs certificates.
type Authority struct {
	// PEM is its own certificate.
	PEM string

	authority *pki.Authority
}

// Pair is a certificate with its key.
type Pair struct {
	// Cert and Key are in PEM.
	Cert, Key string
	// Serial is the certificate's number.
	Serial *big.Int

	pair pki.Pair
}

// New returns an authority of its own.
func New(t testing.TB, name string) *Authority {
	t.Helper()
	a, err := pki.New(name)
	if err != nil {
		t.Fatal(err)
	}
	return &Authority{PEM: string(a.PEM), authority: a}
}

// Server returns a certificate for a server on this machine.
func (a *Authority) Server(t testing.TB) Pair {
	t.Helper()
	return a.issue(t, pki.Subject{Name: "scaler", Names: []string{"localhost", "127.0.0.1"}})
}

// Client returns a certificate for a client with a DNS name.
func (a *Authority) Client(t testing.TB, name string) Pair {
	t.Helper()
	return a.issue(t, pki.Subject{Name: "a client", Names: []string{name}})
}

func (a *Authority) issue(t testing.TB, s pki.Subject) Pair {
	t.Helper()
	p, err := a.authority.Issue(s)
	if err != nil {
		t.Fatal(err)
	}
	return Pair{Cert: string(p.Cert), Key: string(p.Key), Serial: p.Serial, pair: p}
}

// ClientConfig returns what a client needs that trusts the authority. Without a
// pair it shows no certificate.
func (a *Authority) ClientConfig(t testing.TB, own ...Pair) *tls.Config {
	t.Helper()
	var pairs []pki.Pair
	for _, p := range own {
		pairs = append(pairs, p.pair)
	}
	c, err := a.authority.ClientConfig(pairs...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
