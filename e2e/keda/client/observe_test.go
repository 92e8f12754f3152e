package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// get fetches a page of the scaler.
func get(ctx context.Context, t *testing.T, s *rig.Scaler, path string) (code int, body string, err error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.HTTP+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	content, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(content), errors.Join(err, resp.Body.Close())
}

// TestHealthAndReflection asks as probes and grpcurl do.
func TestHealthAndReflection(t *testing.T) {
	t.Parallel()
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": nowhere}}.Write(t))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn := rig.Dial(t, scaler.GRPC)
	for _, service := range []string{"", "externalscaler.ExternalScaler"} {
		got, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: service})
		if err != nil || got.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("health of %q: %v, %v", service, got, err)
		}
	}
	services := list(ctx, t, conn)
	for _, want := range []string{"externalscaler.ExternalScaler", "grpc.health.v1.Health"} {
		if !slices.Contains(services, want) {
			t.Errorf("reflection lists %v, without %s", services, want)
		}
	}
}

// list returns the services that reflection knows.
func list(ctx context.Context, t *testing.T, conn grpc.ClientConnInterface) []string {
	t.Helper()
	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	request := &reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}}
	if err := stream.Send(request); err != nil {
		t.Fatal(err)
	}
	answer, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range answer.GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	return names
}

// TestProbes wants a scaler that lives and is ready without any Prometheus, and
// that says so when it goes.
func TestProbes(t *testing.T) {
	t.Parallel()
	scaler := rig.StartScaler(t, "scaler", "--drain-delay=5s", rig.Config{Sources: map[string]string{"default": nowhere}}.Write(t))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, path := range []string{"/livez", "/readyz"} {
		if code, _, err := get(ctx, t, scaler, path); code != http.StatusOK || err != nil {
			t.Errorf("%s: %d, %v", path, code, err)
		}
	}
	scaler.Signal(t, syscall.SIGTERM)
	if err := wait.Until(ctx, "a scaler that is not ready", func() bool {
		code, _, err := get(ctx, t, scaler, "/readyz")
		return err == nil && code == http.StatusServiceUnavailable
	}); err != nil {
		t.Fatal(err)
	}
	if code, _, err := get(ctx, t, scaler, "/livez"); code != http.StatusOK || err != nil {
		t.Errorf("/livez while it goes: %d, %v", code, err)
	}
	// Who has not heard yet is still answered.
	if spec := (rig.Trigger{Address: scaler.GRPC, Metadata: asleep()}).Poll(t).GetMetricSpecForScaling(ctx); len(spec) != 1 {
		t.Errorf("spec %v from a scaler that is about to go", spec)
	}
}

// TestMetrics looks for every metric of the contract, and its value.
func TestMetrics(t *testing.T) {
	t.Parallel()
	p := promquerytest.New(t, "")
	steady(t, p, "zmy", 0.1)
	steady(t, p, "workers", 10)
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": p.URL}}.Write(t))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s := rig.Trigger{Address: scaler.GRPC, Metadata: map[string]string{"zmyQuery": "zmy", "replicasQuery": "workers"}}.Poll(t)
	if _, err := rig.Ask(ctx, s); err != nil {
		t.Fatal(err)
	}
	families := scrape(ctx, t, scaler)
	each := map[string]string{"namespace": "shop", "scaled_object": "payment", "metric": "zmy"}
	values := []struct {
		name   string
		labels map[string]string
		want   float64
	}{
		{"zmy_scaler_yield_ratio", each, 0.1},
		{"zmy_scaler_desired_replicas", each, 30},
		{"zmy_scaler_current_replicas", each, 10},
		{"zmy_scaler_active", each, 1},
		{"zmy_scaler_decision_info", merge(each, map[string]string{"band": "scale_up", "reason": "saturated"}), 1},
		{"zmy_scaler_triggers", map[string]string{}, 1},
	}
	for _, v := range values {
		f := families[v.name]
		if len(f.GetMetric()) != 1 {
			t.Errorf("%s has %d series, want 1", v.name, len(f.GetMetric()))
			continue
		}
		m := f.GetMetric()[0]
		if m.GetGauge().GetValue() != v.want {
			t.Errorf("%s is %v, want %v", v.name, m.GetGauge().GetValue(), v.want)
		}
		if diff := cmp.Diff(v.labels, labelsOf(m)); diff != "" {
			t.Errorf("labels of %s (-want +got):\n%s", v.name, diff)
		}
	}
	checkLabels(t, families)
}

// checkLabels looks for the metrics whose values are not known beforehand.
func checkLabels(t *testing.T, families map[string]*dto.MetricFamily) {
	t.Helper()
	present := map[string][]string{
		"zmy_scaler_sample_age_seconds":              {"metric", "namespace", "scaled_object"},
		"zmy_scaler_evaluations_total":               {"result"},
		"zmy_scaler_evaluation_duration_seconds":     {},
		"zmy_scaler_source_requests_total":           {"result", "source"},
		"zmy_scaler_source_request_duration_seconds": {"source"},
		"zmy_scaler_build_info":                      {"commit", "goversion", "version"},
		"grpc_server_handled_total":                  {"grpc_code", "grpc_method", "grpc_service", "grpc_type"},
		"go_goroutines":                              {},
		"process_cpu_seconds_total":                  {},
	}
	for name, want := range present {
		f := families[name]
		if f == nil {
			t.Errorf("there is no %s", name)
			continue
		}
		got := []string{}
		for label := range labelsOf(f.GetMetric()[0]) {
			got = append(got, label)
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("labels of %s (-want +got):\n%s", name, diff)
		}
	}
}

func scrape(ctx context.Context, t *testing.T, s *rig.Scaler) map[string]*dto.MetricFamily {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.HTTP+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func labelsOf(m *dto.Metric) map[string]string {
	all := map[string]string{}
	for _, l := range m.GetLabel() {
		all[l.GetName()] = l.GetValue()
	}
	return all
}
