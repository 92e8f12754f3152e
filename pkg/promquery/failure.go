package promquery

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strings"
	"unicode"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"golang.org/x/oauth2"
)

// maxDetail is how many characters of a server's own words are passed on.
const maxDetail = 300

// failure turns whatever went wrong into the one error type of this package.
func (s *Source) failure(ctx context.Context, query string, err error) *Error {
	e := classify(ctx, err)
	e.Source, e.Query = s.name, query
	return e
}

func classify(ctx context.Context, err error) *Error {
	// A URL error repeats the URL, which is nobody's business.
	for {
		u, ok := errors.AsType[*url.Error](err)
		if !ok {
			break
		}
		err = u.Err
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return &Error{Kind: own.Kind, Status: own.Status, Err: own.Err}
	}
	if said, ok := errors.AsType[*v1.Error](err); ok {
		return &Error{Kind: kindOf(string(said.Type)), Err: errors.New(clean(said.Msg))}
	}
	if token, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		// Its message repeats the token endpoint's answer, which may hold anything.
		said := "the token endpoint sent no token"
		if token.Response != nil {
			said = fmt.Sprintf("the token endpoint answered with HTTP status %d", token.Response.StatusCode)
		}
		return &Error{Kind: KindAuth, Err: errors.New(said)}
	}
	return &Error{Kind: plainKind(ctx, err), Err: withoutAddress(err)}
}

// withoutAddress returns what the network reports without the addresses of the source
// and of name servers, which tenants need not know.
func withoutAddress(err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Errorf("lookup: %s", dns.Err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		// That of a proxy holds another one.
		return fmt.Errorf("%s: %w", op.Op, withoutAddress(op.Err))
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return errors.New("the certificate is of another host")
	}
	return err
}

// plainKind tells apart what the network and the runtime report.
func plainKind(ctx context.Context, err error) Kind {
	var network net.Error
	_, file := errors.AsType[*fs.PathError](err)
	switch {
	case errors.Is(err, errTooLarge):
		return KindTooLarge
	case errors.Is(err, errRedirect):
		return KindRedirect
	case errors.Is(ctx.Err(), context.Canceled):
		return KindCanceled
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded):
		return KindTimeout
	case file:
		return KindAuth // a secret or certificate that cannot be read
	case errors.As(err, &network) && network.Timeout():
		return KindTimeout
	}
	return KindUnreachable
}

// clean makes a server's words fit for one line of a log.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if r := []rune(text); len(r) > maxDetail {
		return string(r[:maxDetail]) + "…"
	}
	return text
}
