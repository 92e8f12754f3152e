package bench

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/proc"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
)

// empty answers every call with the same messages: the floor of gRPC itself.
type empty struct {
	pb.UnimplementedExternalScalerServer

	answer *pb.GetMetricsResponse
	spec   *pb.GetMetricSpecResponse
	active *pb.IsActiveResponse
}

// GetMetrics implements pb.ExternalScalerServer.
func (e empty) GetMetrics(context.Context, *pb.GetMetricsRequest) (*pb.GetMetricsResponse, error) {
	return e.answer, nil
}

// GetMetricSpec implements pb.ExternalScalerServer.
func (e empty) GetMetricSpec(context.Context, *pb.ScaledObjectRef) (*pb.GetMetricSpecResponse, error) {
	return e.spec, nil
}

// IsActive implements pb.ExternalScalerServer.
func (e empty) IsActive(context.Context, *pb.ScaledObjectRef) (*pb.IsActiveResponse, error) {
	return e.active, nil
}

// runEmpty serves on a free port, which it prints, until it is told to stop.
func runEmpty() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := grpc.NewServer()
	pb.RegisterExternalScalerServer(s, empty{
		answer: &pb.GetMetricsResponse{MetricValues: []*pb.MetricValue{{MetricName: "zmy", MetricValue: 150, MetricValueFloat: 150}}},
		spec:   &pb.GetMetricSpecResponse{MetricSpecs: []*pb.MetricSpec{{MetricName: "zmy", TargetSize: 30, TargetSizeFloat: 30}}},
		active: &pb.IsActiveResponse{Result: true},
	})
	fmt.Fprintf(os.Stdout, "serving %s\n", l.Addr())
	context.AfterFunc(ctx, s.Stop)
	return s.Serve(l)
}

// floor is the empty server in a process of its own.
type floor struct {
	*proc.Process

	address string
}

// startEmpty runs the empty server.
func startEmpty(t *testing.T) floor {
	t.Helper()
	p := startRole(t, "empty", "")
	line, err := p.Line(t.Context(), "where it serves", func(line string) bool { return strings.HasPrefix(line, "serving ") })
	if err != nil {
		t.Fatal(err)
	}
	return floor{p, strings.TrimPrefix(line, "serving ")}
}

// client returns a client of the empty server.
func (f floor) client(t *testing.T) pb.ExternalScalerClient {
	t.Helper()
	return pb.NewExternalScalerClient(rig.Dial(t, f.address))
}
