package smoke

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/proc"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
)

// prometheus is a Prometheus server that can be stopped and started again on the
// same storage and address.
type prometheus struct {
	binary, dir, address string
	process              *proc.Process
	starts               int
}

// newPrometheus prepares a server that scrapes the targets every second.
func newPrometheus(t *testing.T, binary string, targets []string) *prometheus {
	t.Helper()
	p := &prometheus{binary: binary, dir: t.TempDir(), address: freeAddress(t)}
	config := fmt.Sprintf(`global:
  scrape_interval: 1s
  scrape_timeout: 900ms
scrape_configs:
- job_name: workers
  static_configs:
  - targets: ["%s"]
`, strings.Join(targets, `", "`))
	if err := os.WriteFile(p.file("prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *prometheus) file(name string) string { return filepath.Join(p.dir, name) }

func (p *prometheus) url() string { return "http://" + p.address }

// start runs the server and waits until it is ready.
func (p *prometheus) start(ctx context.Context, t *testing.T) {
	t.Helper()
	p.starts++
	p.process = proc.Start(t, fmt.Sprintf("prometheus (start %d)", p.starts), exec.Command(p.binary,
		"--config.file="+p.file("prometheus.yml"), "--storage.tsdb.path="+p.file("data"), "--web.listen-address="+p.address))
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := wait.Until(ctx, "Prometheus to be ready", func() bool {
		resp, err := fetch(ctx, http.MethodGet, p.url()+"/-/ready")
		return err == nil && resp == http.StatusOK
	}); err != nil {
		t.Fatal(err)
	}
}

// stop ends the server as a service manager does.
func (p *prometheus) stop(ctx context.Context, t *testing.T) {
	t.Helper()
	p.process.Signal(t, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if code, err := p.process.Wait(ctx); err != nil || code != 0 {
		t.Fatalf("Prometheus ended with %d, %v", code, err)
	}
}

// value returns the value of a query at an instant, and false where it has none.
func (p *prometheus) value(ctx context.Context, t *testing.T, query string, at time.Time) (string, bool) {
	t.Helper()
	form := url.Values{"query": {query}, "time": {at.UTC().Format(time.RFC3339Nano)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url()+"/api/v1/query?"+form.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Data.Result) != 1 {
		return "", false
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1]), true
}

// fetch makes a request and returns the status.
func fetch(ctx context.Context, method, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// freeAddress returns an address nobody listens on. A server that is to come back
// at its address needs one beforehand.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
