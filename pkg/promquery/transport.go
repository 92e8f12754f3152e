package promquery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/common/config"
)

const (
	// maxRedirects is how often one request may be sent elsewhere on its host.
	maxRedirects = 5
	// dialTimeout bounds the making of a connection.
	dialTimeout = 10 * time.Second
	// silenceLimit is how long a connection may stay without a byte when tokens
	// are fetched: those requests know no deadline of their own, so that a token
	// endpoint that hangs would hold a slot for good.
	silenceLimit = time.Minute
)

var (
	errTooLarge = errors.New("the answer is too large")
	errRedirect = errors.New("redirected")
)

// newHTTPClient returns the client of one source: one transport, a limit on the
// size of answers, and no redirects to other hosts.
func newHTTPClient(cfg SourceConfig, o options) (*http.Client, error) {
	rt := o.transport
	if rt == nil {
		made, err := config.NewRoundTripperFromConfig(cfg.HTTP, cfg.Name,
			config.WithUserAgent(o.userAgent), config.WithDialContextFunc(dialer(cfg.HTTP.OAuth2 != nil)))
		if err != nil {
			return nil, fmt.Errorf("http: %w", err)
		}
		rt = made
	}
	follow := cfg.HTTP.FollowRedirects
	return &http.Client{
		Transport: &limitTransport{next: rt, limit: o.limit},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			return checkRedirect(req, via, follow)
		},
	}, nil
}

// checkRedirect refuses what would send credentials, or trust, elsewhere.
func checkRedirect(req *http.Request, via []*http.Request, follow bool) error {
	first := via[0].URL
	switch {
	case !follow:
		return fmt.Errorf("%w: redirects are switched off", errRedirect)
	case req.URL.Host != first.Host:
		return fmt.Errorf("%w to another host, %q: put the final address into the source's url", errRedirect, req.URL.Host)
	case first.Scheme == "https" && req.URL.Scheme != "https":
		return fmt.Errorf("%w from https to %s", errRedirect, req.URL.Scheme)
	case req.Method != via[0].Method:
		return fmt.Errorf("%w in a way that drops the query: put the final address into the source's url", errRedirect)
	case len(via) > maxRedirects:
		return fmt.Errorf("%w more than %d times", errRedirect, maxRedirects)
	}
	return nil
}

func dialer(watchSilence bool) config.DialContextFunc {
	d := &net.Dialer{Timeout: dialTimeout}
	if !watchSilence {
		return d.DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return silenceConn{c}, nil
	}
}

// silenceConn gives up on a peer that sends nothing for silenceLimit.
type silenceConn struct{ net.Conn }

// Read fails with a timeout when nothing arrives within silenceLimit.
func (c silenceConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(silenceLimit)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// limitTransport fails answers that are larger than the limit, in bytes.
type limitTransport struct {
	next  http.RoundTripper
	limit int64
}

// RoundTrip sends the request on and guards the size of its answer.
func (t *limitTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &limitBody{ReadCloser: resp.Body, left: t.limit, limit: t.limit}
	return resp, nil
}

// CloseIdleConnections hands the call down, which http.Client relies on.
func (t *limitTransport) CloseIdleConnections() {
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

type limitBody struct {
	io.ReadCloser
	left, limit int64
}

// Read fails with errTooLarge at the first byte above the limit.
func (b *limitBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return 0, fmt.Errorf("%w: more than %d bytes", errTooLarge, b.limit)
	}
	return n, err
}
