package scenarios

import (
	"context"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// wait20 is the delay of the scenarios here. A scale-down may come earlier by
// what lies between a grid instant and a scrape, and later by the loops of KEDA and
// the HPA.
const (
	wait20   = 20 * time.Second
	earliest = 18 * time.Second
	latest   = 30 * time.Second
)

// delay sees that a scale-down comes after its delay.
func delay(t *testing.T, w stage.World) {
	delayed(t, w, func(context.Context, *stage.Stage) {})
}

// delayAcrossRestart sees the same when the scaler is restarted half-way.
func delayAcrossRestart(t *testing.T, w stage.World) {
	delayed(t, w, func(ctx context.Context, s *stage.Stage) {
		if err := s.Scaler.Kill(ctx, 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Scaler.Start(ctx, 0); err != nil {
			t.Fatal(err)
		}
	})
}

// delayed lets a fleet have too little to do, and something happen half-way.
func delayed(t *testing.T, w stage.World, halfway func(context.Context, *stage.Stage)) {
	t.Helper()
	s, ctx := stage.New(t, w, stage.Options{Fleet: stage.Fleet{Replicas: 10}})
	s.Work(5)
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{
		Metadata: map[string]string{"scaleDownDelay": wait20.String()},
	}}})
	s.Stays(ctx, 5*time.Second)
	s.Work(0.8)
	began := time.Now()
	s.Stays(ctx, wait20/2)
	halfway(ctx, s)
	s.Stays(ctx, time.Until(began.Add(earliest)))
	s.Becomes(ctx, 2)
	if took := time.Since(began); took > latest {
		t.Errorf("scaled down after %v, want %v to %v", took, earliest, latest)
	} else {
		t.Logf("scaled down after %v", took)
	}
	s.HPAWants(ctx, 2)
	s.Went(10, 2)
}
