package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/infra-arch/zmy-scaler/internal/app"
	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/internal/metrics"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// running starts a scaler that KEDA has asked for the trigger of shop/checkout, and
// returns its gRPC address.
func running(t *testing.T) string {
	t.Helper()
	prom := promquerytest.New(t, "")
	prom.Load(time.Now().Add(-20*time.Minute), 15*time.Second, "zmy 0.1x80\nworkers 4x80")
	c := config.Default()
	c.GRPC.Address, c.HTTP.Address = "127.0.0.1:0", "127.0.0.1:0"
	c.Sources = []promquery.SourceConfig{promquery.NewSourceConfig("default", prom.URL)}
	ctx, stop := context.WithCancel(t.Context())
	a, err := app.New(ctx, app.Options{Config: c, Build: metrics.Build{Version: "test"}, Clock: clock.Real(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	address := a.GRPCAddr().String()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ref := &pb.ScaledObjectRef{Namespace: "shop", Name: "checkout", ScalerMetadata: map[string]string{"zmyQuery": "zmy", "replicasQuery": "workers"}}
	if _, err := pb.NewExternalScalerClient(conn).IsActive(t.Context(), ref, grpc.WaitForReady(true)); err != nil {
		t.Fatal(err)
	}
	return address
}

func TestExplain(t *testing.T) {
	t.Parallel()
	address := running(t)
	code, out, errs := do(t.Context(), t, nil, "explain", "shop/checkout", "--address", address)
	if code != exitClean {
		t.Fatalf("exit %d, %s", code, errs)
	}
	for _, want := range []string{"shop/checkout", "scale_up: the yield is below scaleUpThreshold", "from 4 to 12", "pressure", "max_staleness", "workers"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
	code, out, errs = do(t.Context(), t, map[string]string{"ZMY_ADDRESS": address}, "explain", "shop/checkout", "-o", "json")
	var answer struct {
		Triggers []struct {
			Trigger struct{ Band, Reason string }
			Queries []struct{ Role, Text, Sent string }
		}
	}
	if err := json.Unmarshal([]byte(out), &answer); code != exitClean || err != nil || len(answer.Triggers) != 1 {
		t.Fatalf("exit %d, %v, %s: %s", code, err, errs, out)
	}
	got := answer.Triggers[0]
	if got.Trigger.Band != "scale_up" || got.Trigger.Reason != "saturated" || len(got.Queries) != 2 || got.Queries[0].Sent == "" {
		t.Errorf("got %+v", got)
	}
}

func TestExplainFails(t *testing.T) {
	t.Parallel()
	address := running(t)
	none := filepath.Join(t.TempDir(), "none.pem")
	for _, tt := range []struct {
		name string
		args []string
		code int
		errs string
	}{
		{name: "no object", code: exitUsage, errs: "1 arg"},
		{name: "no namespace", args: []string{"checkout"}, code: exitUsage, errs: "NAMESPACE/NAME"},
		{name: "too many parts", args: []string{"a/b/c"}, code: exitUsage, errs: "NAMESPACE/NAME"},
		{name: "another format", args: []string{"a/b", "-o", "xml"}, code: exitUsage, errs: "text or json"},
		{name: "an unknown object", args: []string{"shop/payment", "--address", address}, code: exitFailure, errs: "has not asked this scaler for shop/payment"},
		{name: "nobody there", args: []string{"shop/checkout", "--address", "127.0.0.1:1"}, code: exitFailure, errs: "127.0.0.1:1: Unavailable"},
		{name: "TLS where there is none", args: []string{"shop/checkout", "--address", address, "--tls"}, code: exitFailure, errs: "Unavailable"},
		{name: "half a client certificate", args: []string{"shop/checkout", "--tls-cert", none}, code: exitUsage, errs: "belong together"},
		{name: "no such certificate", args: []string{"shop/checkout", "--tls-cert", none, "--tls-key", none}, code: exitFailure, errs: "none.pem"},
		{name: "no such authority", args: []string{"shop/checkout", "--tls-ca", none}, code: exitFailure, errs: "none.pem"},
		{name: "an authority that is none", args: []string{"shop/checkout", "--tls-ca", "explain.go"}, code: exitFailure, errs: "holds no certificate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, _, errs := do(t.Context(), t, nil, append([]string{"explain"}, tt.args...)...)
			if code != tt.code || !strings.Contains(errs, tt.errs) {
				t.Errorf("exit %d, %q; want %d and a word about %q", code, errs, tt.code, tt.errs)
			}
		})
	}
}
