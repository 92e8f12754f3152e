// Package prometheus runs a real Prometheus server for tests.
package prometheus

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/proc"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// Build returns the program, from the cache that all end-to-end tests share.
func Build(ctx context.Context, t testing.TB) string {
	t.Helper()
	cache, err := tools.Open(t.Output())
	if err != nil {
		t.Fatal(err)
	}
	isOther := func(tool tools.Tool) bool { return tool.Name != tools.Prometheus }
	programs, err := cache.Ensure(ctx, slices.DeleteFunc(tools.ControlPlane(), isOther))
	if err != nil {
		t.Fatal(err)
	}
	return programs[tools.Prometheus]
}

// Server is a Prometheus server that can be stopped and started again on the same
// storage and address.
type Server struct {
	*proc.Process

	binary, dir, address string
	args                 []string
	starts               int
}

// New prepares a server with the content of a configuration file. Arguments are
// added to those that say where things are.
func New(t testing.TB, binary, config string, args ...string) *Server {
	t.Helper()
	s := &Server{binary: binary, dir: t.TempDir(), address: freeAddress(t), args: args}
	if err := os.WriteFile(s.file("prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Server) file(name string) string { return filepath.Join(s.dir, name) }

// URL returns the server's address.
func (s *Server) URL() string { return "http://" + s.address }

// Start runs the server and waits until it is ready.
func (s *Server) Start(ctx context.Context, t testing.TB) {
	t.Helper()
	s.starts++
	args := append([]string{
		"--config.file=" + s.file("prometheus.yml"), "--storage.tsdb.path=" + s.file("data"), "--web.listen-address=" + s.address,
	}, s.args...)
	s.Process = proc.Start(t, fmt.Sprintf("prometheus (start %d)", s.starts), exec.Command(s.binary, args...))
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := wait.Until(ctx, "Prometheus to be ready", func() bool { return s.ready(ctx) }); err != nil {
		t.Fatal(err)
	}
}

func (s *Server) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+"/-/ready", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Stop ends the server as a service manager does.
func (s *Server) Stop(ctx context.Context, t testing.TB) {
	t.Helper()
	s.Signal(t, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if code, err := s.Wait(ctx); err != nil || code != 0 {
		t.Fatalf("Prometheus ended with %d, %v", code, err)
	}
}

// freeAddress returns an address nobody listens on. A server that is to come back
// at its address needs one beforehand.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
