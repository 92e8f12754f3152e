package promquery_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

const password = "hunter2"

// roundTripper is an http.RoundTripper without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// says answers every request with the status and the body.
func says(status int, body []byte) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r,
		}, nil
	}
}

func newSource(t testing.TB, address string, opts ...promquery.Option) *promquery.Source {
	t.Helper()
	return openSource(t, promquery.NewSourceConfig("default", address), opts...)
}

func openSource(t testing.TB, cfg promquery.SourceConfig, opts ...promquery.Option) *promquery.Source {
	t.Helper()
	s, err := promquery.NewSource(cfg, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// soon bounds a test that would otherwise hang.
func soon(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// form returns the parameters in the body of a POST.
func form(t testing.TB, r *http.Request) url.Values {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	values, err := url.ParseQuery(string(text))
	if err != nil {
		t.Error(err)
	}
	return values
}

func proxyTo(target *url.URL) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
}
