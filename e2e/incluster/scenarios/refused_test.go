package scenarios

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/incluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// broken is a ScaledObject for a fleet, with metadata to be put in.
const broken = `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: %s}
spec:
  scaleTargetRef: {name: workers}
  triggers:
  - type: external
    metricType: Value
    metadata: {scalerAddress: %q, metricType: Value, %s}
`

// refused applies triggers that the scaler would not understand. The API server
// refuses them in the scaler's words. A good one goes through and works; it cannot be
// made a bad one afterwards.
func refused(t *testing.T, w world) {
	s, ctx := stage.New(t, w.with(incluster.Setup{Values: atOnce}), stage.Options{})
	objects, err := cluster.NewObjects(w.cluster.Config())
	must(t, err)
	apply := func(ctx context.Context, name, address, metadata string) error {
		return objects.ApplyText(ctx, s.Namespace, fmt.Sprintf(broken, name, address, metadata))
	}
	const threshold = `scaleUpThreshold "0.95": must be below scaleDownThreshold "0.9"`
	// A policy is in force a moment after it was made.
	must(t, wait.Within(ctx, time.Minute, "the policy", func(ctx context.Context) error {
		return says(apply(ctx, "first", s.Scaler.Address(), `zmyQuery: up, scaleUpThreshold: "0.95"`), threshold)
	}))
	for _, tt := range []struct {
		name, address, metadata string
		want                    []string
	}{
		{"a-typo", s.Scaler.Address(), `zmyQuery: up, scaleUpThreshhold: "0.2"`, []string{`scaleUpThreshhold "0.2": unknown key`}},
		{"no-query", s.Scaler.Address(), `source: default`, []string{"zmyQuery"}},
		{"the-long-name", "zmy-scaler." + s.Namespace + ".svc.cluster.local:6000", `zmyQuery: up, scaleUpThreshold: "0.95"`, []string{threshold}},
		{"two-faults", s.Scaler.Address(), `zmyQuery: up, scaleUpThreshold: "0.95", mode: loud`, []string{threshold, `mode "loud"`}},
	} {
		must(t, says(apply(ctx, tt.name, tt.address, tt.metadata), tt.want...))
	}
	s.Work(2)
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{}}})
	must(t, says(apply(ctx, "workers", s.Scaler.Address(), `zmyQuery: up, scaleUpThreshold: "0.95"`), threshold))
	s.Work(3.2)
	s.Becomes(ctx, 11)
	s.HPAWants(ctx, 11)
	s.Went(4, 11)
}

// says returns an error unless the given one is there and has all these words.
func says(err error, want ...string) error {
	if err == nil {
		return errors.New("it was taken")
	}
	for _, words := range want {
		if !strings.Contains(err.Error(), words) {
			return fmt.Errorf("%q is not in: %w", words, err)
		}
	}
	return nil
}
