package client

import (
	"context"
	"strings"
	"testing"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// faulty is a trigger in which everything is wrong that can be wrong at once, and
// what the answer must say of each fault.
func faulty() (metadata map[string]string, want []string) {
	metadata = map[string]string{
		"zmyQuery": "avg(", "scaleUpThreshold": "0.95", "inactiveThreshold": "1.5", "scaleDownDelay": "-1",
		"scaleUpDelay": "soon", "triggerThreshold": "NaN", "scaleDownMode": "gentle", "cpuTarget": "0",
		"cpuWeight": "0.4", "replicasQuery": "workers", "replicasQueryFromEnv": "workers_too",
		"wakeQuery": "lag > 0", "guardQuery": "waiting > 5", "metricType": "Utilization", "metricName": "my metric",
		"interval": "1500ms", "maxStaleness": "0", "onNoData": "guess", "holdFor": "-5m", "gracefulLanding": "yes",
		"hpaTolerance": "7", "mode": "test", "zmyLookback": "0",
		"scaleDwonDelay": "300", "prometheusPassword": "hunter2",
	}
	want = []string{
		`zmyQuery "avg("`,
		`scaleUpThreshold "0.95": must be below scaleDownThreshold "0.9"`,
		`inactiveThreshold "1.5"`, `scaleDownDelay "-1"`, `scaleUpDelay "soon"`, `triggerThreshold "NaN"`,
		`scaleDownMode "gentle": must be "safe", "floor" or "proportional"`, `cpuTarget "0"`,
		`cpuWeight "0.4": needs cpuQuery`, `replicasQuery`, `replicasQueryFromEnv`,
		`wakeQuery "lag > 0"`, `guardQuery "waiting > 5"`, `metricType "Utilization": must be "AverageValue" or "Value"`,
		`metricName "my metric"`, `interval "1500ms": must be a multiple`, `maxStaleness "0"`, `onNoData "guess"`,
		`holdFor "-5m"`, `gracefulLanding "yes"`, `hpaTolerance "7"`, `mode "test"`, `zmyLookback "0"`,
		`scaleDwonDelay "300": unknown key; did you mean "scaleDownDelay"?`, `prometheusPassword`,
	}
	return metadata, want
}

// call is one method of the protocol.
type call struct {
	name string
	do   func(context.Context, pb.ExternalScalerClient, *pb.ScaledObjectRef) error
}

func calls() []call {
	return []call{
		{"IsActive", func(ctx context.Context, c pb.ExternalScalerClient, ref *pb.ScaledObjectRef) error {
			_, err := c.IsActive(ctx, ref)
			return err
		}},
		{"GetMetricSpec", func(ctx context.Context, c pb.ExternalScalerClient, ref *pb.ScaledObjectRef) error {
			_, err := c.GetMetricSpec(ctx, ref)
			return err
		}},
		{"GetMetrics", func(ctx context.Context, c pb.ExternalScalerClient, ref *pb.ScaledObjectRef) error {
			_, err := c.GetMetrics(ctx, &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: "zmy"})
			return err
		}},
		{"StreamIsActive", func(ctx context.Context, c pb.ExternalScalerClient, ref *pb.ScaledObjectRef) error {
			s, err := c.StreamIsActive(ctx, ref)
			if err == nil {
				_, err = s.Recv()
			}
			return err
		}},
		{"StreamMetricSpec", func(ctx context.Context, c pb.ExternalScalerClient, ref *pb.ScaledObjectRef) error {
			s, err := c.StreamMetricSpec(ctx, ref)
			if err == nil {
				_, err = s.Recv()
			}
			return err
		}},
	}
}

// TestFaults wants every fault named at once, by every method.
func TestFaults(t *testing.T) {
	metadata, want := faulty()
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": nowhere}}.Write(t))
	trigger := rig.Trigger{Address: scaler.GRPC, Metadata: metadata}
	check := func(t *testing.T, err error) {
		t.Helper()
		if status.Code(err) != codes.InvalidArgument {
			t.Fatalf("got %v, want InvalidArgument", err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("nothing says %s", w)
			}
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Error("the message repeats what looks like a secret")
		}
		if t.Failed() {
			t.Logf("the message:\n%s", strings.ReplaceAll(err.Error(), "; ", ";\n"))
		}
	}
	client := pb.NewExternalScalerClient(rig.Dial(t, scaler.GRPC))
	for _, c := range calls() {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			check(t, c.do(ctx, client, trigger.Ref()))
		})
	}
	t.Run("KEDA", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		// KEDA resolves what comes from the environment by itself.
		trigger.Env = map[string]string{"workers_too": "workers"}
		s := trigger.Poll(t)
		_, err := rig.Ask(ctx, s)
		check(t, err)
		if spec := s.GetMetricSpecForScaling(ctx); len(spec) != 0 {
			t.Errorf("spec %v of a trigger that is none", spec)
		}
	})
}

// TestCodes has everything else that can be wrong with a trigger told apart.
func TestCodes(t *testing.T) {
	p := promquerytest.New(t, "")
	steady(t, p, "zmy", 0.5)
	scaler := rig.StartScaler(t, "scaler", rig.Config{
		Sources: map[string]string{"default": p.URL}, Namespaces: []string{"shop", "team-*"},
	}.Write(t))
	tests := []struct {
		name, namespace string
		metadata        map[string]string
		code            codes.Code
		says            string
	}{
		{name: "may use the source", namespace: "team-a", metadata: map[string]string{"zmyQuery": "zmy", "replicasQuery": "vector(3)"}},
		{
			name: "may not use the source", namespace: "other", metadata: map[string]string{"zmyQuery": "zmy"},
			code: codes.PermissionDenied, says: `namespace "other"`,
		},
		{
			name: "unknown source", namespace: "shop", metadata: map[string]string{"zmyQuery": "zmy", "source": "thanos"},
			code: codes.NotFound, says: `source "thanos"`,
		},
		{
			name: "no data, and the trigger wants to know", namespace: "shop",
			metadata: map[string]string{"zmyQuery": "absent_metric", "replicasQuery": "vector(3)", "onNoData": "error"},
			code:     codes.Unavailable, says: "no usable yield",
		},
		{
			name: "hold cannot be said", namespace: "shop", metadata: map[string]string{"zmyQuery": "zmy"},
			code: codes.Unavailable, says: "number of replicas is unknown",
		},
		{name: "nothing given", namespace: "shop", code: codes.InvalidArgument, says: "zmyQuery: is required"},
		{
			name: "a URL for a source", namespace: "shop",
			metadata: map[string]string{"zmyQuery": "zmy", "source": p.URL}, code: codes.NotFound, says: "source",
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := rig.Ask(ctx, rig.Trigger{Address: scaler.GRPC, Namespace: tc.namespace, Metadata: tc.metadata}.Poll(t))
			if status.Code(err) != tc.code {
				t.Fatalf("got %v, want %v", err, tc.code)
			}
			if err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%q does not say %q", err, tc.says)
			}
		})
	}
}
