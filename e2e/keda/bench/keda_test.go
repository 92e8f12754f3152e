package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
	kedautil "github.com/kedacore/keda/v2/pkg/util"
	logf "sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/proc"
)

// poll is what KEDA's Prometheus scalers are asked to do.
type poll struct {
	// URL is that of Prometheus.
	URL string
	// Queries has one query for each trigger.
	Queries []string
	// Period is how often each of them is polled.
	Period time.Duration
}

// polled is how it went.
type polled struct {
	Polls, Failed int
	P50, P99      time.Duration
}

// runKEDA polls as KEDA does, one goroutine and one request for each trigger and
// period, from moments that are spread over a period, until it is told to stop.
// Then it prints how it went.
func runKEDA(args string) error {
	var p poll
	text, err := os.ReadFile(args)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logf.SetLogger(logr.Discard())
	// The defaults of the operator's flags.
	if err := kedautil.ConfigureHTTPTransport(kedautil.HTTPTransportConfig{MaxIdleConnsPerHost: 1000, IdleConnTimeout: 90 * time.Second}); err != nil {
		return err
	}
	var mu sync.Mutex
	var took latencies
	var result polled
	var loops sync.WaitGroup
	begun := time.Now()
	for i, query := range p.Queries {
		s, err := newPrometheusScaler(i, query, p.URL)
		if err != nil {
			return err
		}
		first := begun.Add(p.Period * time.Duration(i) / time.Duration(len(p.Queries)))
		loops.Go(func() {
			every(ctx, first, p.Period, func() {
				asked := time.Now()
				_, _, err := s.GetMetricsAndActivity(ctx, "s0-prometheus")
				d := time.Since(asked)
				mu.Lock()
				defer mu.Unlock()
				took = append(took, d)
				if err != nil && ctx.Err() == nil {
					result.Failed++
				}
			})
		})
	}
	fmt.Fprintln(os.Stdout, `{"ready":true}`)
	loops.Wait()
	result.Polls, result.P50, result.P99 = len(took), took.at(0.5), took.at(0.99)
	return json.NewEncoder(os.Stdout).Encode(result)
}

// every calls f at first and then once a period until ctx ends.
func every(ctx context.Context, first time.Time, period time.Duration, f func()) {
	for at := first; ; at = at.Add(period) {
		timer := time.NewTimer(time.Until(at))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			f()
		}
	}
}

func newPrometheusScaler(i int, query, url string) (scalers.Scaler, error) {
	return scalers.NewPrometheusScaler(&scalersconfig.ScalerConfig{
		ScalableObjectName: fleetName(i), ScalableObjectNamespace: namespace, ScalableObjectType: "ScaledObject",
		TriggerType: "prometheus", TriggerName: "prometheus", GlobalHTTPTimeout: 3 * time.Second,
		TriggerMetadata: map[string]string{"serverAddress": url, "query": query, "threshold": "30", "ignoreNullValues": "false"},
	})
}

// keda is the process with KEDA's scalers.
type keda struct{ *proc.Process }

func startKEDA(t *testing.T, p poll) keda {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	file := t.TempDir() + "/poll.json"
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	k := keda{startRole(t, "keda", file)}
	if _, err := k.Line(t.Context(), "that it polls", func(line string) bool { return strings.Contains(line, "ready") }); err != nil {
		t.Fatal(err)
	}
	return k
}

// stop ends it and returns how it went.
func (k keda) stop(t *testing.T) polled {
	t.Helper()
	k.Signal(t, syscall.SIGTERM)
	line, err := k.Line(t.Context(), "how it went", func(line string) bool { return strings.Contains(line, "Polls") })
	if err != nil {
		t.Fatal(err)
	}
	var p polled
	if err := json.Unmarshal([]byte(line), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// startRole runs the test binary as another program.
func startRole(t *testing.T, role, args string) *proc.Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, argsVariable+"="+args)
	return proc.Start(t, role, cmd)
}
