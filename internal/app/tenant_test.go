package app_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/app"
	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// TestEnforceLabel sees the setting of the file at work, and the warning that it
// rests on who may call.
func TestEnforceLabel(t *testing.T) {
	t.Parallel()
	prom := promquerytest.New(t, "")
	prom.Load(time.Now().Add(-20*time.Minute), 15*time.Second, "zmy{namespace=\"shop\"} 0.97x80\nzmy{namespace=\"bank\"} 0.5x80")
	var log bytes.Buffer
	o := options(prom.URL)
	o.Config.Sources[0].EnforceLabel = "namespace"
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	o.Cluster = cluster{ran: make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	a, err := app.New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "enforceLabel without client certificates") {
		t.Errorf("no warning that the port is not guarded:\n%s", log.String())
	}
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for namespace, want := range map[string]float64{"shop": 0.97, "bank": 0.5} {
		answer, err := a.Engine().Answer(t.Context(), engine.Call{Namespace: namespace, Name: "payment", Metadata: map[string]string{"zmyQuery": "zmy"}})
		if err != nil || answer.Decision.Yield.Value != want {
			t.Errorf("%s: the yield is %+v, %v; want %v", namespace, answer.Decision.Yield, err, want)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
