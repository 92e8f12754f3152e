package rig

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/kedacore/keda/v2/pkg/scalers"
	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	v2 "k8s.io/api/autoscaling/v2"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// MetricName is the name under which KEDA asks for the metric of a first trigger
// that names none.
const MetricName = "s0-zmy"

// Trigger is a trigger as KEDA finds it in a ScaledObject.
type Trigger struct {
	// Address is where the scaler is.
	Address string
	// Namespace and Name are the ScaledObject's; shop and payment by default.
	Namespace, Name string
	// Index is the trigger's place in the ScaledObject.
	Index int
	// MetricType is the trigger's own; empty means AverageValue, as in KEDA.
	MetricType v2.MetricTargetType
	// Metadata goes to the scaler. Env is the environment of the target's
	// container, Auth what a TriggerAuthentication gives.
	Metadata, Env, Auth map[string]string
}

// Config returns what KEDA builds a scaler from.
func (tr Trigger) Config() *scalersconfig.ScalerConfig {
	metadata := map[string]string{"scalerAddress": tr.Address}
	maps.Copy(metadata, tr.Metadata)
	return &scalersconfig.ScalerConfig{
		ScalableObjectName: or(tr.Name, "payment"), ScalableObjectNamespace: or(tr.Namespace, "shop"),
		ScalableObjectType: "ScaledObject", TriggerType: "external", TriggerIndex: tr.Index,
		MetricType: tr.MetricType, TriggerMetadata: metadata, ResolvedEnv: tr.Env, AuthParams: tr.Auth,
	}
}

// Poll returns KEDA's client for triggers of type external.
func (tr Trigger) Poll(t testing.TB) scalers.Scaler {
	t.Helper()
	s, err := scalers.NewExternalScaler(tr.Config())
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, s)
	return s
}

// Push returns KEDA's client for triggers of type external-push.
func (tr Trigger) Push(t testing.TB) scalers.PushScaler {
	t.Helper()
	s, err := scalers.NewExternalPushScaler(tr.Config())
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, s)
	return s
}

func closeAtEnd(t testing.TB, s scalers.Scaler) {
	ctx := context.WithoutCancel(t.Context()) // the test's own ends before the clean-up
	t.Cleanup(func() {
		if err := s.Close(ctx); err != nil {
			t.Errorf("close KEDA's client: %v", err)
		}
	})
}

// Ref returns what KEDA sends for the trigger.
func (tr Trigger) Ref() *pb.ScaledObjectRef {
	c := tr.Config()
	return &pb.ScaledObjectRef{Name: c.ScalableObjectName, Namespace: c.ScalableObjectNamespace, ScalerMetadata: c.TriggerMetadata}
}

// Answer is what KEDA hears of a trigger.
type Answer struct {
	// Milli is the metric's value in thousandths.
	Milli  int64
	Active bool
}

// Ask asks through KEDA's client.
func Ask(ctx context.Context, s scalers.Scaler) (Answer, error) {
	values, active, err := s.GetMetricsAndActivity(ctx, MetricName)
	if err != nil {
		return Answer{}, err
	}
	if len(values) != 1 || values[0].MetricName != MetricName {
		return Answer{}, fmt.Errorf("got the metrics %v, want exactly one, %s", values, MetricName)
	}
	return Answer{Milli: values[0].Value.MilliValue(), Active: active}, nil
}

// Replicas returns what the HPA makes of an answer for a fleet of n ready
// replicas, with the given target in thousandths.
func (a Answer) Replicas(metricType v2.MetricTargetType, target int64, n int) int {
	tolerance := decision.Tolerance{Down: decision.DefaultTolerance, Up: decision.DefaultTolerance}
	if metricType == v2.ValueMetricType {
		return decision.HPAValue(a.Milli, target, n, n, tolerance)
	}
	return decision.HPAAverageValue(a.Milli, target, n, tolerance)
}

// Dial returns a plain connection to a scaler.
func Dial(t testing.TB, address string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	if len(opts) == 0 {
		opts = append(opts, grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	conn, err := grpc.NewClient(address, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Errorf("close connection: %v", err)
		}
	})
	return conn
}

func or(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}
