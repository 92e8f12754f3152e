// Package certs serves TLS from files that change while the server runs.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"sync"
	"time"
)

// Files names PEM files. A client CA turns on mutual TLS.
type Files struct {
	Cert, Key, ClientCA string
	// AllowedClientNames are the names of which a client certificate must have
	// one; empty allows every client that the CA vouches for.
	AllowedClientNames []string
}

// Watcher holds what the files say. It looks at them at each handshake, which
// is rare, and needs no process of its own: a rotated certificate is served to
// the next client that connects. While the files cannot be read, half-written
// say, the last good ones are served.
type Watcher struct {
	files Files
	log   *slog.Logger

	mu      sync.Mutex
	prints  [3]fingerprint
	current *tls.Config
	broken  string
}

// fingerprint tells one version of a file from another without reading it. A
// Kubernetes Secret is swapped by a symbolic link, which changes all of it.
type fingerprint struct {
	size    int64
	changed time.Time
	id      any
}

// New reads the files for the first time.
func New(files Files, log *slog.Logger) (*Watcher, error) {
	w := &Watcher{files: files, log: log}
	prints, err := w.look()
	if err != nil {
		return nil, err
	}
	if w.current, err = w.read(); err != nil {
		return nil, err
	}
	w.prints = prints
	return w, nil
}

// Config returns a TLS configuration that follows the files.
func (w *Watcher) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return w.latest(), nil
		},
	}
}

// latest returns the configuration of the files as they are, or as they last
// were when they were whole.
func (w *Watcher) latest() *tls.Config {
	w.mu.Lock()
	defer w.mu.Unlock()
	prints, err := w.look()
	if err == nil && prints == w.prints {
		return w.current
	}
	var next *tls.Config
	if err == nil {
		next, err = w.read()
	}
	if err != nil {
		if w.broken != err.Error() {
			w.log.Warn("TLS files cannot be reloaded, the previous ones are still served", "error", err)
		}
		w.broken = err.Error()
		return w.current
	}
	w.log.Info("TLS files reloaded", "cert", w.files.Cert)
	w.current, w.prints, w.broken = next, prints, ""
	return w.current
}

func (w *Watcher) look() (prints [3]fingerprint, err error) {
	for i, file := range []string{w.files.Cert, w.files.Key, w.files.ClientCA} {
		if file == "" {
			continue
		}
		info, err := os.Stat(file)
		if err != nil {
			return prints, fmt.Errorf("tls: %w", err)
		}
		prints[i] = fingerprint{size: info.Size(), changed: info.ModTime(), id: inode(info)}
	}
	return prints, nil
}

func (w *Watcher) read() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(w.files.Cert, w.files.Key)
	if err != nil {
		return nil, fmt.Errorf("tls: %s, %s: %w", w.files.Cert, w.files.Key, err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"}, Certificates: []tls.Certificate{pair}}
	if w.files.ClientCA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(w.files.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls: %s: holds no certificate in PEM", w.files.ClientCA)
	}
	c.ClientAuth = tls.RequireAndVerifyClientCert
	// Resumed sessions must be checked as well: a ticket could be older than
	// the CA that was taken away.
	c.SessionTicketsDisabled = true
	c.VerifyConnection = w.allowed
	return c, nil
}

// ErrClientName tells that a client has none of the allowed names.
var ErrClientName = errors.New("the client's certificate has none of the allowed names")

func (w *Watcher) allowed(state tls.ConnectionState) error {
	if len(w.files.AllowedClientNames) == 0 {
		return nil
	}
	if len(state.PeerCertificates) == 0 {
		return ErrClientName
	}
	for _, name := range names(state.PeerCertificates[0]) {
		if slices.Contains(w.files.AllowedClientNames, name) {
			return nil
		}
	}
	return ErrClientName
}

func names(c *x509.Certificate) []string {
	all := append([]string{c.Subject.CommonName}, c.DNSNames...)
	for _, u := range c.URIs {
		all = append(all, u.String())
	}
	for _, ip := range c.IPAddresses {
		all = append(all, net.IP.String(ip))
	}
	return append(all, c.EmailAddresses...)
}
