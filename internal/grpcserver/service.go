package grpcserver

import (
	"context"
	"math"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"

	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

type service struct {
	pb.UnimplementedExternalScalerServer

	engine   *engine.Engine
	clock    clock.Clock
	draining <-chan struct{}
}

// IsActive tells whether the workers may be taken to zero: no, while it is true.
func (s *service) IsActive(ctx context.Context, ref *pb.ScaledObjectRef) (*pb.IsActiveResponse, error) {
	a, err := s.engine.Answer(ctx, call(ref))
	if err == nil && a.Told.NoActivity {
		err = unavailable(a)
	}
	if err != nil {
		return nil, statusOf(err)
	}
	return &pb.IsActiveResponse{Result: a.Told.Active}, nil
}

// GetMetricSpec tells the metric and its target. It needs nothing but the
// metadata: were it to fail, KEDA would build the HPA without this metric, and
// fail the object's other triggers too.
func (s *service) GetMetricSpec(_ context.Context, ref *pb.ScaledObjectRef) (*pb.GetMetricSpecResponse, error) {
	t, err := s.engine.Trigger(call(ref))
	if err != nil {
		return nil, statusOf(err)
	}
	return specOf(t), nil
}

func specOf(t *trigger.Trigger) *pb.GetMetricSpecResponse {
	return &pb.GetMetricSpecResponse{MetricSpecs: []*pb.MetricSpec{{
		MetricName:      t.MetricName,
		TargetSize:      int64(math.Round(t.Target)),
		TargetSizeFloat: t.Target,
	}}}
}

// GetMetrics tells the metric's value: exactly one, under the name asked for.
func (s *service) GetMetrics(ctx context.Context, req *pb.GetMetricsRequest) (*pb.GetMetricsResponse, error) {
	a, err := s.engine.Answer(ctx, call(req.GetScaledObjectRef()))
	if err == nil && a.Told.NoValue {
		err = unavailable(a)
	}
	if err != nil {
		return nil, statusOf(err)
	}
	name := req.GetMetricName()
	if name == "" {
		name = a.Trigger.MetricName
	}
	value := float64(a.Told.Value) / 1000
	return &pb.GetMetricsResponse{MetricValues: []*pb.MetricValue{{
		MetricName:       name,
		MetricValue:      int64(math.Round(value)),
		MetricValueFloat: value,
	}}}, nil
}

func call(ref *pb.ScaledObjectRef) engine.Call {
	return engine.Call{Namespace: ref.GetNamespace(), Name: ref.GetName(), Metadata: ref.GetScalerMetadata()}
}
