package scenarios

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// shadow moves nothing and tells what it would do.
func shadow(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{})
	s.Work(2)
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{Metadata: map[string]string{"mode": "shadow"}}}})
	s.Stays(ctx, 3*time.Second)
	s.Work(3.2)
	desires(ctx, t, s, "11")
	s.Stays(ctx, 5*time.Second)
	s.Work(0.8) // 0.2 of each of four
	desires(ctx, t, s, "4")
	s.Work(0.3)
	desires(ctx, t, s, "1")
	s.Stays(ctx, 5*time.Second)
	s.HPAWants(ctx, 4)
	s.Went(4)
	quiet(t, s)
}

// desires waits until the scaler's metrics say what it wants.
func desires(ctx context.Context, t *testing.T, s *stage.Stage, want string) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^zmy_scaler_desired_replicas\{[^}]*namespace="` + s.Namespace + `"[^}]*\} (\S+)$`)
	must(t, wait.Within(ctx, 30*time.Second, "the scaler to want "+want, func(ctx context.Context) error {
		text, err := s.Scaler.Metrics(ctx, 0)
		if err != nil {
			return err
		}
		found := line.FindStringSubmatch(text)
		if found == nil || found[1] != want {
			return fmt.Errorf("its metrics say %q", found)
		}
		return nil
	}))
}

// badMetadata makes mistakes in a trigger. KEDA puts the scaler's words about them
// into its log, and into the ScaledObject that the scaler has no metric. The scaler
// tells all of them in an Event. Once they are mended everything works, without a
// restart.
func badMetadata(t *testing.T, w stage.World) {
	s, ctx := stage.New(t, w, stage.Options{})
	s.Work(2)
	broken := stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{Metadata: map[string]string{"scaleUpThreshold": "0.95", "cpuWeight": "7"}}}}
	s.Apply(ctx, broken)
	logged(ctx, t, s, `scaleUpThreshold \"0.95\": must be below scaleDownThreshold \"0.9\"`)
	told := s.Event(ctx, "InvalidTrigger", `scaleUpThreshold "0.95": must be below scaleDownThreshold "0.9"`)
	if !strings.Contains(told.Message, `cpuWeight "7": `) || told.Type != "Warning" || told.Count != 1 {
		t.Errorf("told %d times as %s: %s", told.Count, told.Type, told.Message)
	}
	s.Condition(ctx, "Ready", "False")
	s.Told(ctx, "no metric specs returned")
	broken.Triggers[0].Metadata = map[string]string{"scaleUpThreshhold": "0.3"}
	s.Apply(ctx, broken)
	logged(ctx, t, s, "scaleUpThreshhold")
	s.Event(ctx, "InvalidTrigger", `did you mean "scaleUpThreshold"?`)
	s.Stays(ctx, 3*time.Second)
	broken.Triggers[0].Metadata = nil
	s.Apply(ctx, broken)
	s.HPAWorks(ctx)
	s.Condition(ctx, "Ready", "True")
	s.Work(3.2)
	s.Becomes(ctx, 11)
	s.HPAWants(ctx, 11)
	s.Went(4, 11)
	if metrics := s.Metrics(); len(metrics) != 1 || metrics[0] != "s0-zmy" {
		t.Errorf("the HPA had the metrics %q, want s0-zmy only", metrics)
	}
}

// logged waits until KEDA has logged a text about the namespace.
func logged(ctx context.Context, t *testing.T, s *stage.Stage, text string) {
	t.Helper()
	must(t, wait.Within(ctx, time.Minute, "KEDA to log "+text, func(ctx context.Context) error {
		if said := s.Cluster.Said(ctx, s.Namespace); !strings.Contains(said, text) {
			return errors.New("it has not")
		}
		return nil
	}))
}
