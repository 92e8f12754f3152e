package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// TestDrain stops a scaler with open streams: they end cleanly, and the exit
// code is 0.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, sig := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			p := promquerytest.New(t, "")
			steady(t, p, "workers", 0)
			steady(t, p, "lag", 3)
			scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": p.URL}}.Write(t))
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			client := pb.NewExternalScalerClient(rig.Dial(t, scaler.GRPC))
			ref := rig.Trigger{Address: scaler.GRPC, Metadata: asleep()}.Ref()
			active, err1 := client.StreamIsActive(ctx, ref)
			specs, err2 := client.StreamMetricSpec(ctx, ref)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			if m, err := active.Recv(); err != nil || !m.GetResult() {
				t.Fatalf("the first message: %v, %v; want active", m, err)
			}
			if m, err := specs.Recv(); err != nil || len(m.GetMetricSpecs()) != 1 {
				t.Fatalf("the first spec: %v, %v", m, err)
			}
			scaler.Signal(t, sig)
			if m, err := active.Recv(); !errors.Is(err, io.EOF) {
				t.Errorf("StreamIsActive: got %v, %v; want a clean end", m, err)
			}
			if m, err := specs.Recv(); !errors.Is(err, io.EOF) {
				t.Errorf("StreamMetricSpec: got %v, %v; want a clean end", m, err)
			}
			if code, err := scaler.Wait(ctx); err != nil || code != 0 {
				t.Errorf("exit code %d, %v; want 0", code, err)
			}
		})
	}
}

// slow puts a gate before a Prometheus: until it is opened nothing is answered.
// The channel tells of each request that stands before it.
func slow(t *testing.T, behind *promquerytest.Server) (server *promquerytest.Server, arrived <-chan struct{}, open func()) {
	t.Helper()
	u, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(u)
	came, gate := make(chan struct{}, 100), make(chan struct{})
	server = promquerytest.New(t, "")
	server.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came <- struct{}{}
		select {
		case <-gate:
		case <-r.Context().Done():
			return
		}
		// The form was read already; what is asked for goes into the URL.
		r.Method, r.Body, r.ContentLength = http.MethodGet, http.NoBody, 0
		r.URL.RawQuery = r.Form.Encode()
		r.Header.Del("Content-Type")
		proxy.ServeHTTP(w, r)
	}))
	return server, came, func() { close(gate) }
}

// TestDrainAnswers stops a scaler while calls wait for a first evaluation. They
// are answered, with what Prometheus said in the end.
func TestDrainAnswers(t *testing.T) {
	t.Parallel()
	behind := promquerytest.New(t, "")
	steady(t, behind, "zmy", 0.1)
	steady(t, behind, "workers", 10)
	p, arrived, open := slow(t, behind)
	scaler := rig.StartScaler(t, "scaler", "--drain-delay=0s",
		rig.Config{Interval: "15s", Timeout: "10s", Sources: map[string]string{"default": p.URL}}.Write(t))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	type result struct {
		answer rig.Answer
		err    error
	}
	done := make(chan result, 1)
	// GetMetrics alone: KEDA's IsActive after it would be a new call to a
	// scaler that takes no new calls.
	client := pb.NewExternalScalerClient(rig.Dial(t, scaler.GRPC))
	ref := rig.Trigger{Address: scaler.GRPC, Metadata: map[string]string{"zmyQuery": "zmy", "replicasQuery": "workers"}}.Ref()
	go func() {
		m, err := client.GetMetrics(ctx, &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: "zmy"})
		r := result{err: err}
		if err == nil && len(m.GetMetricValues()) == 1 {
			r.answer.Milli = m.GetMetricValues()[0].GetMetricValue() * 1000
		}
		done <- r
	}()
	<-arrived
	scaler.Signal(t, syscall.SIGTERM)
	// A call would do to find out, but one that is still taken waits for the
	// answer that is held back here.
	var dialer net.Dialer
	refused := func() bool {
		conn, err := dialer.DialContext(ctx, "tcp", scaler.GRPC)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}
	if err := wait.Until(ctx, "new connections to be refused", refused); err != nil {
		t.Fatal(err)
	}
	open()
	select {
	case r := <-done:
		if r.err != nil || r.answer.Milli != 30*target {
			t.Errorf("the call under way got %+v, %v; want %d", r.answer, r.err, 30*target)
		}
	case <-ctx.Done():
		t.Fatal("the call under way was not answered")
	}
	if code, err := scaler.Wait(ctx); err != nil || code != 0 {
		t.Errorf("exit code %d, %v; want 0", code, err)
	}
}
