package promquery

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/config"
)

func TestSilenceConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		conn := silenceConn{near}
		go func() {
			for range 3 {
				<-time.After(silenceLimit - time.Second)
				if _, err := far.Write([]byte("x")); err != nil {
					t.Error(err)
				}
			}
		}()
		for range 3 {
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				t.Fatalf("a slow peer: %v", err)
			}
		}
		began := time.Now()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a silent peer: %v", err)
		}
		if took := time.Since(began); took != silenceLimit {
			t.Errorf("gave up after %v", took)
		}
		if err := near.Close(); err != nil {
			t.Error(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err == nil {
			t.Error("read from a closed connection")
		}
	})
}

func TestDialer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.Listener.Addr().String()
	for _, watch := range []bool{false, true} {
		conn, err := dialer(watch)(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := conn.(silenceConn); ok != watch {
			t.Errorf("dialer(%v) made a %T", watch, conn)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	server.Close()
	if _, err := dialer(true)(t.Context(), "tcp", address); err == nil {
		t.Error("connected to a server that is gone")
	}
}

// TestCloseClosesConnections goes through all the layers that authentication
// puts around the transport.
func TestCloseClosesConnections(t *testing.T) {
	var open atomic.Int64
	closed := make(chan struct{}, 10)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
			closed <- struct{}{}
		case http.StateActive, http.StateIdle, http.StateHijacked:
		}
	}
	server.Start()
	defer server.Close()
	cfg := NewSourceConfig("default", server.URL)
	cfg.HTTP.Authorization = &config.Authorization{Type: "Bearer", Credentials: "x"}
	cfg.HTTP.HTTPHeaders = &config.Headers{Headers: map[string]config.Header{"X-A": {Values: []string{"b"}}}}
	s, err := NewSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if _, err := s.Instant(t.Context(), "q", time.Unix(0, 0)); err == nil {
			t.Fatal("a 404 was taken for an answer")
		}
	}
	if n := open.Load(); n != 1 {
		t.Errorf("%d connections for five requests in a row, want 1", n)
	}
	if s.Name() != "default" {
		t.Errorf("name %q", s.Name())
	}
	s.Close()
	<-closed
}

func TestKindWords(t *testing.T) {
	seen := map[string]bool{}
	for k := range NumKinds {
		word := k.String()
		if word == "unknown" || seen[word] {
			t.Errorf("kind %d is called %q", k, word)
		}
		seen[word] = true
	}
	if NumKinds.String() != "unknown" {
		t.Errorf("the number of kinds is called %q", NumKinds)
	}
}
