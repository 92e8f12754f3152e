package client

import (
	"context"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	v2 "k8s.io/api/autoscaling/v2"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// TestDeadFromTheStart asks for triggers whose Prometheus never answered.
func TestDeadFromTheStart(t *testing.T) {
	t.Parallel()
	sources, servers := map[string]string{"source-none": nowhere}, map[string]*promquerytest.Server{}
	names := map[string]string{"nothing listens": "source-none"}
	for i, h := range harms() {
		if h.begin != nil && h.name != "warnings" {
			servers[h.name] = promquerytest.New(t, "")
			h.begin(servers[h.name])
			sources[sourceOf(i)], names[h.name] = servers[h.name].URL, sourceOf(i)
		}
	}
	scaler := rig.StartScaler(t, "scaler", rig.Config{Timeout: "2s", Sources: sources}.Write(t))
	for name, source := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			metadata := map[string]string{"source": source, "zmyQuery": "zmy", "replicasQuery": "workers"}
			ratio := rig.Trigger{
				Address: scaler.GRPC, MetricType: v2.ValueMetricType, Metadata: merge(metadata, map[string]string{"metricType": "Value"}),
			}.Poll(t)
			for range 3 {
				got, err := rig.Ask(ctx, ratio)
				if want := (rig.Answer{Milli: target, Active: true}); err != nil || got != want {
					t.Errorf("Value: got %+v, %v; want %+v", got, err, want)
				}
			}
			// The one exception: no number means hold while the count is unknown.
			if got, err := rig.Ask(ctx, rig.Trigger{Address: scaler.GRPC, Metadata: metadata}.Poll(t)); status.Code(err) != codes.Unavailable {
				t.Errorf("AverageValue with an unknown count: got %+v, %v; want Unavailable", got, err)
			}
			if spec := ratio.GetMetricSpecForScaling(ctx); len(spec) != 1 {
				t.Errorf("spec %v, want one", spec)
			}
		})
	}
}

// TestHoldEnds lets the data be missing for longer than the trigger holds: then
// KEDA is told, so that the ScaledObject's fallback applies.
func TestHoldEnds(t *testing.T) {
	t.Parallel()
	p := promquerytest.New(t, "")
	steady(t, p, "workers", crew)
	steady(t, p, "zmy", 0.5)
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": p.URL}}.Write(t))
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	s := rig.Trigger{Address: scaler.GRPC, Metadata: map[string]string{
		"zmyQuery": "zmy", "replicasQuery": "workers", "maxStaleness": "1s", "holdFor": "5s", "scaleDownDelay": "1s",
	}}.Poll(t)
	if _, err := rig.Ask(ctx, s); err != nil {
		t.Fatal(err)
	}
	p.Down()
	fails := time.Now()
	var err error
	if werr := wait.Until(ctx, "the hold to end", func() bool {
		_, err = rig.Ask(ctx, s)
		return err != nil
	}); werr != nil {
		t.Fatal(werr)
	}
	if status.Code(err) != codes.Unavailable {
		t.Errorf("got %v, want Unavailable", err)
	}
	// It holds for 5 s after the newest sample it knows. On a slow machine that may be
	// some instants older than the failure, and the end be noticed as late. Without
	// holdFor it would hold for a second, or for ten minutes.
	if held := time.Since(fails); held < 2*time.Second || held > 15*time.Second {
		t.Errorf("held for %v, want 5 s", held)
	}
	p.Up()
	if err := wait.Until(ctx, "answers again", func() bool {
		_, err := rig.Ask(ctx, s)
		return err == nil
	}); err != nil {
		t.Error(err)
	}
}
