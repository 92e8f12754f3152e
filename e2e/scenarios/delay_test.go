package scenarios

import (
	"context"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
)

// A scale-down may come earlier than its delay by what lies between a grid instant and
// a scrape, and later by the loops of KEDA and the HPA: seconds, and on a busy machine
// half a minute.
const (
	early = 2 * time.Second
	late  = 40 * time.Second
)

// delay sees that a scale-down comes after its delay.
func delay(t *testing.T, w stage.World) {
	delayed(t, w, 20*time.Second, 10*time.Second, func(context.Context, *stage.Stage) {})
}

// delayAcrossRestart sees the same when the scaler is restarted meanwhile: so late
// that a delay that began anew would end too late.
func delayAcrossRestart(t *testing.T, w stage.World) {
	delayed(t, w, time.Minute, 50*time.Second, func(ctx context.Context, s *stage.Stage) {
		if err := s.Scaler.Kill(ctx, 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Scaler.Start(ctx, 0); err != nil {
			t.Fatal(err)
		}
	})
}

// delayed lets a fleet have too little to do, and something happen after a part of
// the delay.
func delayed(t *testing.T, w stage.World, down, part time.Duration, happens func(context.Context, *stage.Stage)) {
	t.Helper()
	s, ctx := stage.New(t, w, stage.Options{Fleet: stage.Fleet{Replicas: 10}})
	s.Work(5)
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{
		Metadata: map[string]string{"scaleDownDelay": down.String()},
	}}})
	s.Stays(ctx, 5*time.Second)
	s.Work(0.8)
	began := time.Now()
	s.Stays(ctx, part)
	happens(ctx, s)
	s.Stays(ctx, time.Until(began.Add(down-early)))
	s.Becomes(ctx, 2)
	if took := time.Since(began); took > down+late {
		t.Errorf("scaled down after %v, want %v to %v", took, down-early, down+late)
	} else {
		t.Logf("scaled down after %v", took)
	}
	s.HPAWants(ctx, 2)
	s.Went(10, 2)
}
