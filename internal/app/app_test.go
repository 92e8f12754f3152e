package app_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/infra-arch/zmy-scaler/internal/app"
	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/internal/metrics"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

func options(url string) app.Options {
	c := config.Default()
	c.GRPC.Address, c.HTTP.Address = "127.0.0.1:0", "127.0.0.1:0"
	c.Sources = []promquery.SourceConfig{promquery.NewSourceConfig("default", url)}
	return app.Options{Config: c, Build: metrics.Build{Version: "test"}, Clock: clock.Real(), Log: slog.New(slog.DiscardHandler)}
}

// cluster is a Kubernetes with one fleet of 5.
type cluster struct{ ran chan struct{} }

func (c cluster) Look(context.Context, string, string, map[string]string) kube.View {
	n := decision.Known(5)
	return kube.View{Found: true, Known: true, MetricType: decision.Value, MetricTypeKnown: true, Fleet: decision.Fleet{Spec: n, Ready: n, Status: n}}
}
func (c cluster) Forget(string, string) {}
func (c cluster) Run(ctx context.Context) error {
	<-ctx.Done()
	close(c.ran)
	return nil
}

// TestLife runs a whole scaler: it answers, tells its state, and when it is to
// stop it ends streams cleanly and leaves nothing running.
func TestLife(t *testing.T) {
	t.Parallel()
	prom := promquerytest.New(t, "")
	prom.Load(time.Now().Add(-20*time.Minute), 15*time.Second, "zmy 0.97x80")
	o := options(prom.URL)
	c := cluster{ran: make(chan struct{})}
	o.Cluster = c
	ctx, stop := context.WithCancel(t.Context())
	a, err := app.New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()

	conn, err := grpc.NewClient(a.GRPCAddr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	keda := pb.NewExternalScalerClient(conn)
	ref := &pb.ScaledObjectRef{Namespace: "shop", Name: "payment", ScalerMetadata: map[string]string{"zmyQuery": "zmy"}}
	got, err := keda.GetMetrics(t.Context(), &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: "zmy"}, grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	if v := got.MetricValues[0].MetricValueFloat; v != 6 {
		t.Errorf("idle for 20 minutes, 5 replicas: told %v, want 6, which means 1 replica", v)
	}
	if n := a.Engine().Len(); n != 1 {
		t.Errorf("%d triggers are known, want 1", n)
	}
	for path, want := range map[string]string{
		"/livez": "ok", "/readyz": "ok",
		"/metrics": `zmy_scaler_decision_info{band="inactive",metric="zmy",namespace="shop",reason="nothing_to_do",scaled_object="payment"} 1`,
	} {
		if text := get(t, "http://"+a.HTTPAddr().String()+path); !strings.Contains(text, want) {
			t.Errorf("%s does not tell %q:\n%s", path, want, text)
		}
	}

	stream, err := keda.StreamIsActive(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("the stream ends with %v, want EOF", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	<-c.ran
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	taken, err := app.New(t.Context(), options("http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		edit func(*config.Config)
		want string
	}{
		{name: "a bad configuration", edit: func(c *config.Config) { c.Sources = nil }, want: "sources"},
		{name: "a certificate that is not there", edit: func(c *config.Config) {
			c.GRPC.TLS.CertFile, c.GRPC.TLS.KeyFile = "none.crt", "none.key"
		}, want: "none.crt"},
		{name: "a port that is taken", edit: func(c *config.Config) { c.GRPC.Address = taken.GRPCAddr().String() }, want: "grpc.address"},
		{name: "another port that is taken", edit: func(c *config.Config) { c.HTTP.Address = taken.HTTPAddr().String() }, want: "http.address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := options("http://127.0.0.1:1")
			tt.edit(&o.Config)
			if _, err := app.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a word about %q", err, tt.want)
			}
		})
	}
}
