package grpcserver_test

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/grpcserver"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// empty answers every call with the same message: the floor of gRPC itself.
type empty struct {
	pb.UnimplementedExternalScalerServer

	answer *pb.GetMetricsResponse
}

func (e empty) GetMetrics(context.Context, *pb.GetMetricsRequest) (*pb.GetMetricsResponse, error) {
	return e.answer, nil
}

// BenchmarkGetMetrics asks the scaler, with a trigger that is known, and an
// empty gRPC server in short turns, over loopback, and reports both throughputs
// and the median of their ratios. So the ratio holds on a machine that is busy
// with other things as well.
func BenchmarkGetMetrics(b *testing.B) {
	scaler := dial(b, serveScaler(b))
	floor := dial(b, serveEmpty(b))
	req := &pb.GetMetricsRequest{ScaledObjectRef: ref("metricType", "AverageValue", "scaleUpDelay", "30", "guardQuery", "sum(waiting) > bool 0"), MetricName: "zmy"}
	if _, err := scaler.GetMetrics(b.Context(), req); err != nil {
		b.Fatal(err)
	}
	var took [2]time.Duration
	var ratios []float64
	const turn, callers = 400, 16
	for b.Loop() {
		one, other := ask(b, floor, req, turn, callers), ask(b, scaler, req, turn, callers)
		took[0] += one
		took[1] += other
		ratios = append(ratios, one.Seconds()/other.Seconds())
	}
	slices.Sort(ratios)
	perSecond := func(d time.Duration) float64 { return float64(len(ratios)*turn) / d.Seconds() }
	b.ReportMetric(perSecond(took[0]), "empty-calls/s")
	b.ReportMetric(perSecond(took[1]), "scaler-calls/s")
	b.ReportMetric(ratios[len(ratios)/2], "of-empty")
	b.ReportMetric(0, "ns/op")
}

// ask makes n calls from several callers and returns how long they took.
func ask(b *testing.B, c pb.ExternalScalerClient, req *pb.GetMetricsRequest, n, callers int) time.Duration {
	begun := time.Now()
	var group sync.WaitGroup
	for range callers {
		group.Go(func() {
			for range n / callers {
				if _, err := c.GetMetrics(b.Context(), req); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return time.Since(begun)
}

func serveEmpty(b *testing.B) net.Addr {
	l := listen(b)
	s := grpc.NewServer()
	pb.RegisterExternalScalerServer(s, empty{answer: &pb.GetMetricsResponse{
		MetricValues: []*pb.MetricValue{{MetricName: "zmy", MetricValue: 150, MetricValueFloat: 150}},
	}})
	go func() { _ = s.Serve(l) }()
	b.Cleanup(s.Stop)
	return l.Addr()
}

func serveScaler(b *testing.B) net.Addr {
	prom := promquerytest.New(b, "")
	prom.Load(time.Now().Add(-20*time.Minute), 15*time.Second, "zmy 0.5x80\nworkers 5x80\nwaiting 0x80")
	source, err := promquery.NewSource(promquery.NewSourceConfig("default", prom.URL))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(source.Close)
	e, err := engine.New(b.Context(), engine.Config{
		Interval: 15 * time.Second, Timeout: 10 * time.Second, QueryOffset: 5 * time.Second,
		Sources: map[string]engine.Source{"default": {Querier: source, MaxConcurrency: 8, Allows: func(string) bool { return true }}},
		Clock:   clock.Real(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	l := listen(b)
	s := grpcserver.New(grpcserver.Options{Engine: e, Metrics: grpcprom.NewServerMetrics(), Clock: clock.Real(), Log: slog.New(slog.DiscardHandler)})
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Drain(ctx)
	})
	return l.Addr()
}

func listen(b *testing.B) net.Listener {
	var lc net.ListenConfig
	l, err := lc.Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	return l
}

func dial(b *testing.B, addr net.Addr) pb.ExternalScalerClient {
	conn, err := grpc.NewClient(addr.String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return pb.NewExternalScalerClient(conn)
}
