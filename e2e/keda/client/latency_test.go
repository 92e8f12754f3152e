package client

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

const (
	// asked is how many times each method is called for a measurement.
	asked = 2000
	// allowed is the p99 of one call from memory; on a machine that is too busy for
	// that, a call may take so many times what one to the health service takes.
	allowed = 5 * time.Millisecond
	times   = 3
	// attempts is how often it is measured: other programs on the machine may
	// spoil a measurement, they cannot improve it.
	attempts = 3
)

// latencies are those of one method, sorted.
type latencies []time.Duration

func (l latencies) at(share float64) time.Duration { return l[int(share*float64(len(l)-1))] }

func (l latencies) String() string {
	return fmt.Sprintf("p50 %v, p99 %v, max %v", l.at(0.5), l.at(0.99), l.at(1))
}

// TestLatencyWhileTheSourceHangs measures answers from memory while every round
// of queries hangs until its timeout.
func TestLatencyWhileTheSourceHangs(t *testing.T) {
	p := promquerytest.New(t, "")
	steady(t, p, "zmy", 0.5)
	steady(t, p, "workers", 4)
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": p.URL}}.Write(t))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	conn := rig.Dial(t, scaler.GRPC)
	client, health := pb.NewExternalScalerClient(conn), healthpb.NewHealthClient(conn)
	var refs []*pb.ScaledObjectRef
	for i := range 20 {
		ref := rig.Trigger{Name: fmt.Sprintf("fleet-%d", i), Metadata: map[string]string{"zmyQuery": "zmy", "replicasQuery": "workers"}}.Ref()
		if _, err := client.IsActive(ctx, ref); err != nil {
			t.Fatal(err)
		}
		refs = append(refs, ref)
	}
	p.Hang()
	for attempt := 1; ; attempt++ {
		values, activity, floor := measure(ctx, t, client, health, refs)
		t.Logf("%d calls each: GetMetrics %v; IsActive %v; Check %v", asked, values, activity, floor)
		most := max(allowed, times*floor.at(0.99))
		if values.at(0.99) < most && activity.at(0.99) < most {
			return
		}
		if attempt == attempts {
			t.Fatalf("p99 is not below %v in any of %d attempts", most, attempts)
		}
	}
}

// measure calls as KEDA does, GetMetrics and IsActive in turn, and the health
// service, which needs to know nothing.
func measure(ctx context.Context, t *testing.T, client pb.ExternalScalerClient, health healthpb.HealthClient, refs []*pb.ScaledObjectRef) (values, activity, floor latencies) {
	t.Helper()
	for i := range asked {
		ref := refs[i%len(refs)]
		began := time.Now()
		m, err := client.GetMetrics(ctx, &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: "zmy"})
		between := time.Now()
		if err != nil || len(m.GetMetricValues()) != 1 || m.GetMetricValues()[0].GetMetricValue() != 4*target/1000 {
			t.Fatalf("GetMetrics: %v, %v", m, err)
		}
		a, err := client.IsActive(ctx, ref)
		if err != nil || !a.GetResult() {
			t.Fatalf("IsActive: %v, %v", a, err)
		}
		values, activity = append(values, between.Sub(began)), append(activity, time.Since(between))
		began = time.Now()
		if _, err := health.Check(ctx, &healthpb.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
		floor = append(floor, time.Since(began))
	}
	slices.Sort(values)
	slices.Sort(activity)
	slices.Sort(floor)
	return values, activity, floor
}
