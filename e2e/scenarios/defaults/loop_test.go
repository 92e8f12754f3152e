package defaults

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/harness"
	"github.com/infra-arch/zmy-scaler/e2e/internal/loop"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

const (
	// step is the distance of two numbers of the demand, and of two decisions.
	step = 5 * time.Second
	// offset is the scaler's queryOffset.
	offset = time.Second
	// startDelay is how long a pod takes to become ready.
	startDelay = 16 * time.Second
	// first is the size of the fleet at the beginning: the one at which the first
	// demand is the target load.
	first = 10
)

// stretches are the demand. The grid, the HPA and KEDA have clocks of their own,
// whose phases are unknown here and others in the replay. So the stretches are such
// that the sizes depend on no phase, and that each change of the replay comes in
// the middle of the time in which the HPA may make it.
func stretches() []loop.Stretch {
	return []loop.Stretch{
		{Busy: 6, For: 20 * time.Second},
		// A load of 0.65, just too much: 11 are wanted, and 12 are the least that the
		// HPA's tolerance lets through.
		{Busy: 6.5, For: 45 * time.Second},
		{Busy: 9, For: 45 * time.Second},
		// Far too much: the fleet grows twice, since what waits keeps it saturated.
		{Busy: 45, For: 35 * time.Second},
		// What has waited keeps it busy for half a minute more. Then the delay of the
		// trigger, the window and the policy of the HPA: two steps down.
		{Busy: 0.6, For: 140 * time.Second},
		// To zero, woken by what waits, and twice as large with each step that has
		// taken effect.
		{Busy: 0, For: 70 * time.Second},
		{Busy: 3, For: 90 * time.Second},
	}
}

// closedLoop gives a fleet work over time, and has the same replayed by backtest.
// Both must make the same of it: the same sizes, and each of them within one turn
// of the HPA.
func closedLoop(t *testing.T, w stage.World, trigger stage.Trigger) {
	s, ctx := stage.New(t, w, stage.Options{
		Patience: 15 * time.Minute, Fleet: stage.Fleet{Replicas: first, ReadyAfter: startDelay.String()}, Install: everyStep,
	})
	s.WorkOff(loop.Demand{Stretches: stretches()[:1]}.At)
	object := looped(s, trigger)
	s.Scale(ctx, object)
	demand := loop.Demand{Start: time.Now().Truncate(step).Add(step), Stretches: stretches()}
	s.WorkOff(demand.At)
	model, err := loop.Backtest{
		Scaler: harness.Scaler(t), Dir: t.TempDir(), Manifest: s.Manifest(object),
		Step: step, StartDelay: startDelay, Interval: step, QueryOffset: offset,
	}.Run(ctx, demand)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("by the model the fleet goes %s", loop.Sizes(model))
	if err := wait.Pass(ctx, time.Until(demand.End()), func(context.Context) error {
		return loop.Begun(s.Changes(), model)
	}); err != nil {
		t.Error(err)
	}
	seen := loop.Before(s.Changes(), demand.End())
	t.Logf("since the beginning of the demand:\n%s", loop.Table(demand.Start, seen, model))
	if err := loop.Agree(seen, model, turn); err != nil {
		t.Error(err)
	}
}

// everyStep has the scaler decide at every step of the demand.
func everyStep(s *stage.Stage) cluster.ScalerOptions {
	return cluster.ScalerOptions{Config: strings.ReplaceAll(s.Config(), "interval: 1s, timeout: 1s, queryOffset: 1s",
		fmt.Sprintf("interval: %v, timeout: 4s, queryOffset: %v", step, offset))}
}

// looped is a ScaledObject with delays on every way, and thresholds close enough to
// the target for the HPA's tolerance to matter.
func looped(s *stage.Stage, trigger stage.Trigger) stage.Object {
	metadata := map[string]string{
		"triggerThreshold": "60", "scaleUpThreshold": "0.36", "scaleDownThreshold": "0.8",
		"scaleUpDelay": "10s", "scaleDownDelay": "20s", "gracefulLanding": "true", "wakeQuery": s.Query("waiting"),
	}
	maps.Copy(metadata, trigger.Metadata)
	trigger.Metadata = metadata
	return stage.Object{
		Min: 0, Max: 30, PollingInterval: int(step.Seconds()), CooldownPeriod: 30, Triggers: []stage.Trigger{trigger},
		Behavior: map[string]any{"scaleDown": map[string]any{
			"stabilizationWindowSeconds": int64(45),
			"policies":                   []any{map[string]any{"type": "Percent", "value": int64(75), "periodSeconds": int64(15)}},
		}},
	}
}
