package grpcserver_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/grpcserver"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
)

// rig is a server on an engine on a real Prometheus engine, all in one bubble.
type rig struct {
	t      *testing.T
	db     *promembed.Server
	server *grpcserver.Server
	conn   *grpc.ClientConn
	keda   pb.ExternalScalerClient

	mu     sync.Mutex
	broken bool
}

// RoundTrip reaches the Prometheus engine without a network.
func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	broken := r.broken
	r.mu.Unlock()
	if broken {
		return nil, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	r.db.ServeHTTP(w, req)
	return w.Result(), nil
}

func (r *rig) setBroken(broken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = broken
}

func bubble(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { f(t, newRig(t)) })
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t}
	var err error
	if r.db, err = promembed.Open(promembed.Options{Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	source, err := promquery.NewSource(promquery.NewSourceConfig("default", "http://prometheus:9090"), promquery.WithTransport(r))
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.New(t.Context(), engine.Config{
		Interval: 15 * time.Second, Timeout: 10 * time.Second, QueryOffset: 5 * time.Second,
		Sources: map[string]engine.Source{"default": {
			Querier: source, MaxConcurrency: 8, Allows: func(ns string) bool { return ns != "outsiders" },
		}},
		Clock: clock.Real(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = e.Run(ctx) })
	r.server = grpcserver.New(grpcserver.Options{
		Engine: e, Metrics: grpcprom.NewServerMetrics(), Clock: clock.Real(), Log: slog.New(slog.DiscardHandler),
	})
	pipe := bufconn.Listen(1 << 20)
	running.Go(func() {
		if err := r.server.Serve(pipe); err != nil {
			t.Error(err)
		}
	})
	r.conn, err = grpc.NewClient("passthrough:///scaler",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	r.keda = pb.NewExternalScalerClient(r.conn)
	t.Cleanup(func() {
		_ = r.conn.Close()
		stop, done := context.WithTimeout(context.Background(), time.Minute)
		defer done()
		r.server.Drain(stop)
		cancel()
		running.Wait()
		if err := r.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// put stores a sample of a metric every 5 s for the last d.
func (r *rig) put(name string, d time.Duration, v float64) {
	r.t.Helper()
	for ago := d; ago >= 0; ago -= 5 * time.Second {
		s := promembed.Sample{Labels: labels.FromStrings(model.MetricNameLabel, name), T: time.Now().Add(-ago), V: v}
		if err := r.db.Append(r.t.Context(), s); err != nil {
			r.t.Fatal(err)
		}
	}
}

func ref(changes ...string) *pb.ScaledObjectRef {
	m := map[string]string{"scalerAddress": "zmy:6000", "zmyQuery": "zmy", "replicasQuery": "workers"}
	for i := 0; i < len(changes); i += 2 {
		m[changes[i]] = changes[i+1]
	}
	return &pb.ScaledObjectRef{Name: "payment", Namespace: "shop", ScalerMetadata: m}
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		yield  float64
		ref    *pb.ScaledObjectRef
		value  float64
		whole  int64
		active bool
	}{
		{name: "hold", yield: 0.5, ref: ref(), value: 150, whole: 150, active: true},
		{name: "up", yield: 0.1, ref: ref(), value: 450, whole: 450, active: true},
		{name: "inactive", yield: 0.99, ref: ref(), value: 30, whole: 30},
		{name: "up, Value", yield: 0.1, ref: ref("metricType", "Value"), value: 90, whole: 90, active: true},
		{name: "an odd target", yield: 0.1, ref: ref("metricType", "Value", "triggerThreshold", "33.333"), value: 93.332, whole: 93, active: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.put("zmy", 20*time.Minute, tt.yield)
				r.put("workers", 20*time.Minute, 5)
				got, err := r.keda.GetMetrics(t.Context(), &pb.GetMetricsRequest{ScaledObjectRef: tt.ref, MetricName: "zmy"})
				if err != nil {
					t.Fatal(err)
				}
				if len(got.MetricValues) != 1 {
					t.Fatalf("%d values, want one", len(got.MetricValues))
				}
				if v := got.MetricValues[0]; v.MetricName != "zmy" || v.MetricValueFloat != tt.value || v.MetricValue != tt.whole {
					t.Errorf("got %v, want %v and %v", v, tt.value, tt.whole)
				}
				active, err := r.keda.IsActive(t.Context(), tt.ref)
				if err != nil || active.Result != tt.active {
					t.Errorf("active %v, %v; want %v", active, err, tt.active)
				}
			})
		})
	}
}

// TestSpecNeedsNothing: neither the source nor its name matters.
func TestSpecNeedsNothing(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		r.setBroken(true)
		got, err := r.keda.GetMetricSpec(t.Context(), ref("triggerThreshold", "33.3", "metricName", "idle", "source", "nowhere"))
		if err != nil {
			t.Fatal(err)
		}
		if len(got.MetricSpecs) != 1 {
			t.Fatalf("%d specs, want one", len(got.MetricSpecs))
		}
		if s := got.MetricSpecs[0]; s.MetricName != "idle" || s.TargetSizeFloat != 33.3 || s.TargetSize != 33 {
			t.Errorf("got %v", s)
		}
	})
}

func TestStatusCodes(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		outsider := ref()
		outsider.Namespace = "outsiders"
		tests := []struct {
			name string
			ref  *pb.ScaledObjectRef
			code codes.Code
			text []string
		}{
			{name: "faults", ref: ref("scaleUpThreshold", "0.95", "mode", "off"), code: codes.InvalidArgument, text: []string{`scaleUpThreshold "0.95": must be below scaleDownThreshold "0.9"`, `mode "off": must be`}},
			{name: "unknown source", ref: ref("source", "nowhere"), code: codes.NotFound, text: []string{"nowhere"}},
			{name: "forbidden source", ref: outsider, code: codes.PermissionDenied, text: []string{"outsiders"}},
			{name: "no data, as an error", ref: ref("onNoData", "error", "metricType", "Value"), code: codes.Unavailable, text: []string{"no usable yield"}},
			{name: "replicas unknown", ref: ref("replicasQuery", "nothing"), code: codes.Unavailable, text: []string{"replicas is unknown"}},
			{name: "no message", ref: nil, code: codes.InvalidArgument, text: []string{"zmyQuery: is required"}},
		}
		for _, tt := range tests {
			_, err := r.keda.GetMetrics(t.Context(), &pb.GetMetricsRequest{ScaledObjectRef: tt.ref})
			if status.Code(err) != tt.code {
				t.Errorf("%s: GetMetrics: %v, want %v", tt.name, err, tt.code)
			}
			for _, text := range tt.text {
				if !strings.Contains(status.Convert(err).Message(), text) {
					t.Errorf("%s: %q does not tell %q", tt.name, err, text)
				}
			}
			if _, err := r.keda.IsActive(t.Context(), tt.ref); status.Code(err) != tt.code {
				t.Errorf("%s: IsActive: %v, want %v", tt.name, err, tt.code)
			}
		}
		if _, err := r.keda.GetMetricSpec(t.Context(), ref("mode", "off")); status.Code(err) != codes.InvalidArgument {
			t.Errorf("GetMetricSpec: %v", err)
		}
		for _, open := range []func() error{
			func() error { return first(r.keda.StreamIsActive(t.Context(), ref("mode", "off"))) },
			func() error { return first(r.keda.StreamMetricSpec(t.Context(), ref("mode", "off"))) },
		} {
			if err := open(); status.Code(err) != codes.InvalidArgument {
				t.Errorf("a stream: %v", err)
			}
		}
	})
}

func first[T any](stream grpc.ServerStreamingClient[T], err error) error {
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

// received collects what a stream sends, with the time of each message.
type received[T any] struct {
	mu   sync.Mutex
	msgs []*T
	at   []time.Duration
	err  error
}

func collect[T any](stream grpc.ServerStreamingClient[T], err error) *received[T] {
	r := &received[T]{err: err}
	if err != nil {
		return r
	}
	begun := time.Now()
	go func() {
		for {
			m, err := stream.Recv()
			r.mu.Lock()
			if err != nil {
				r.err = err
				r.mu.Unlock()
				return
			}
			r.msgs, r.at = append(r.msgs, m), append(r.at, time.Since(begun))
			r.mu.Unlock()
		}
	}()
	return r
}

func (r *received[T]) take() ([]*T, []time.Duration, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	msgs, at := r.msgs, r.at
	r.msgs, r.at = nil, nil
	return msgs, at, r.err
}

// TestStreamIsActive: the state at once, then changes, then a beat every 30 s
// while active.
func TestStreamIsActive(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ref := ref("replicasQuery", "workers or vector(0)", "wakeQuery", "lag")
		got := collect(r.keda.StreamIsActive(t.Context(), ref))
		pass(time.Second)
		if msgs, _, err := got.take(); err != nil || len(msgs) != 1 || msgs[0].Result {
			t.Fatalf("at once: %v, %v", msgs, err)
		}
		pass(5 * time.Minute)
		if msgs, _, err := got.take(); err != nil || len(msgs) != 0 {
			t.Fatalf("while inactive: %v, %v", msgs, err)
		}
		r.put("lag", 0, 7)
		pass(20 * time.Second)
		if msgs, _, err := got.take(); err != nil || len(msgs) != 1 || !msgs[0].Result {
			t.Fatalf("woken: %v, %v", msgs, err)
		}
		for range 10 {
			pass(29 * time.Second)
			r.put("lag", 0, 7)
		}
		msgs, at, err := got.take()
		if err != nil || len(msgs) < 9 || len(msgs) > 10 {
			t.Errorf("%d beats in 290 s, want 9: %v, %v", len(msgs), at, err)
		}
		for i := 1; i < len(at); i++ {
			if gap := at[i] - at[i-1]; gap != 30*time.Second {
				t.Errorf("a beat after %v, want 30s", gap)
			}
		}
	})
}

// TestStreamsSurviveWhatCannotBeSaid: a stream does not end because nothing can
// be said for a while.
func TestStreamsSurviveWhatCannotBeSaid(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		got := collect(r.keda.StreamIsActive(t.Context(), ref()))
		pass(time.Minute)
		if msgs, _, err := got.take(); err != nil || len(msgs) != 0 {
			t.Fatalf("replicas are unknown: %v, %v", msgs, err)
		}
		r.put("workers", 0, 5)
		r.put("zmy", 0, 0.5)
		pass(20 * time.Second)
		if msgs, _, err := got.take(); err != nil || len(msgs) != 1 || !msgs[0].Result {
			t.Errorf("then known: %v, %v", msgs, err)
		}
		// Past holdFor there is nothing to say again, nor any haste about it.
		r.setBroken(true)
		pass(12 * time.Minute)
		if _, at, err := got.take(); err != nil || len(at) < 15 || at[len(at)-1] > 12*time.Minute {
			t.Errorf("held: %v, %v; want a beat now and then for 10 minutes", at, err)
		}
		pass(3 * time.Minute)
		if msgs, _, err := got.take(); err != nil || len(msgs) != 0 {
			t.Errorf("held for too long: %v, %v", msgs, err)
		}
		r.setBroken(false)
		r.put("workers", 0, 5)
		r.put("zmy", 0, 0.5)
		pass(40 * time.Second)
		if msgs, _, err := got.take(); err != nil || len(msgs) == 0 || !msgs[0].Result {
			t.Errorf("known again: %v, %v", msgs, err)
		}
	})
}

func TestStreamMetricSpec(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		got := collect(r.keda.StreamMetricSpec(t.Context(), ref()))
		pass(11 * time.Minute)
		msgs, at, err := got.take()
		if err != nil || len(msgs) != 3 || msgs[0].MetricSpecs[0].TargetSizeFloat != 30 {
			t.Fatalf("got %v at %v, %v", msgs, at, err)
		}
		if at[0] != 0 || at[1] != 5*time.Minute {
			t.Errorf("sent at %v", at)
		}
	})
}

// TestStreamsEndCleanly: by age, and when the server drains, KEDA sees EOF.
func TestStreamsEndCleanly(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		aged := collect(r.keda.StreamMetricSpec(t.Context(), ref()))
		pass(20 * time.Minute)
		if _, _, err := aged.take(); !errors.Is(err, io.EOF) {
			t.Errorf("after 20 minutes: %v, want EOF", err)
		}
		spec := collect(r.keda.StreamMetricSpec(t.Context(), ref()))
		active := collect(r.keda.StreamIsActive(t.Context(), ref()))
		pass(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		r.server.Drain(ctx)
		pass(time.Second)
		for name, err := range map[string]error{"spec": last(spec), "active": last(active)} {
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s: %v, want EOF", name, err)
			}
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("draining took %v", took)
		}
	})
}

func last[T any](r *received[T]) error {
	_, _, err := r.take()
	return err
}

func TestHealth(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		client := healthpb.NewHealthClient(r.conn)
		for _, service := range []string{"", "externalscaler.ExternalScaler"} {
			got, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
			if err != nil || got.Status != healthpb.HealthCheckResponse_SERVING {
				t.Errorf("%q: %v, %v", service, got, err)
			}
		}
	})
}

func TestReflection(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		stream, err := reflectionpb.NewServerReflectionClient(r.conn).ServerReflectionInfo(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&reflectionpb.ServerReflectionRequest{
			MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
		}); err != nil {
			t.Fatal(err)
		}
		got, err := stream.Recv()
		if err != nil || !strings.Contains(got.String(), "externalscaler.ExternalScaler") {
			t.Errorf("got %v, %v", got, err)
		}
		if err := stream.CloseSend(); err != nil {
			t.Error(err)
		}
	})
}

// TestPanicsAreAnswered: a panic costs one call, not the process.
func TestPanicsAreAnswered(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	// A server without an engine panics at every call.
	s := grpcserver.New(grpcserver.Options{Metrics: grpcprom.NewServerMetrics(), Log: slog.New(slog.NewTextHandler(&logged, nil))})
	pipe := bufconn.Listen(1 << 16)
	done := make(chan error, 1)
	go func() { done <- s.Serve(pipe) }()
	conn, err := grpc.NewClient("passthrough:///scaler",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := pb.NewExternalScalerClient(conn).GetMetricSpec(t.Context(), ref())
		if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "nil pointer") {
			t.Errorf("got %v, want Internal without the details", err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	s.Drain(t.Context())
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(logged.String(), "nil pointer") {
		t.Errorf("the log does not tell the panic: %q", logged.String())
	}
}

func TestMessagesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		_, err := r.keda.GetMetricSpec(t.Context(), ref("metricName", strings.Repeat("x", 2<<20)))
		if status.Code(err) != codes.ResourceExhausted {
			t.Errorf("a message of 2 MiB: %v", err)
		}
	})
}
