package client

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/kedacore/keda/v2/pkg/scalers"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// asleep is a fleet at zero that a queue wakes. The queue may have parts.
func asleep() map[string]string {
	return map[string]string{"zmyQuery": "zmy", "replicasQuery": "workers", "wakeQuery": "sum(lag)"}
}

// run runs KEDA's push client until the end of the test and returns what it hears.
func run(t *testing.T, s scalers.PushScaler) <-chan bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	active, ended := make(chan bool, 100), make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx, active)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return active
}

// next waits for the next message of a push.
func next(ctx context.Context, t *testing.T, active <-chan bool, what string, want bool) {
	t.Helper()
	select {
	case got, ok := <-active:
		if !ok || got != want {
			t.Fatalf("%s: got %v (open %v), want %v", what, got, ok, want)
		}
	case <-ctx.Done():
		t.Fatalf("%s: %v", what, context.Cause(ctx))
	}
}

// TestPush follows the streams of KEDA's push client: the state at once, then
// each change, and the spec.
func TestPush(t *testing.T) {
	t.Parallel()
	p := promquerytest.New(t, "")
	steady(t, p, "workers", 0)
	steady(t, p, "lag", 0)
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": p.URL}}.Write(t))

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s := rig.Trigger{Address: scaler.GRPC, Metadata: asleep()}.Push(t)
	active := run(t, s)
	next(ctx, t, active, "the first message", false)
	streamer, ok := s.(scalers.MetricSpecStreamer)
	if !ok {
		t.Fatal("KEDA's push client streams no specs")
	}
	select {
	case specs := <-streamer.MetricSpecChan():
		if len(specs) != 1 || specs[0].External.Metric.Name != rig.MetricName {
			t.Errorf("streamed spec %v", specs)
		}
	case <-ctx.Done():
		t.Fatal("no spec was streamed")
	}
	// Only now, since on a busy machine the start takes its time.
	wakes := time.Now().Add(5 * time.Second).Truncate(step)
	load(t, p, "lag", "another part", wakes, stretch{20 * time.Second, 3}, stretch{2 * time.Minute, 0})
	next(ctx, t, active, "something to do", true)
	if early := time.Until(wakes); early > 0 {
		t.Errorf("active %v before there was something to do", early)
	}
	if late := time.Since(wakes); late > 10*time.Second {
		t.Errorf("active %v after there was something to do, on a grid of 1 s", late)
	}
	next(ctx, t, active, "nothing to do any more", false)
}

// TestPushOverDrains has a scaler replaced twice. KEDA comes back 2 s after a
// clean end of the stream, every time; after any other end it would wait for
// twice as long the second time.
func TestPushOverDrains(t *testing.T) {
	t.Parallel()
	p := promquerytest.New(t, "")
	steady(t, p, "workers", 0)
	steady(t, p, "lag", 3)
	config := rig.Config{Sources: map[string]string{"default": p.URL}}.Write(t)
	scaler := rig.StartScaler(t, "scaler 1", config)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	active := run(t, rig.Trigger{Address: scaler.GRPC, Metadata: asleep()}.Push(t))
	next(ctx, t, active, "the first scaler", true)
	for _, name := range []string{"scaler 2", "scaler 3"} {
		address := scaler.GRPC
		scaler.Signal(t, syscall.SIGTERM)
		if code, err := scaler.Wait(ctx); err != nil || code != 0 {
			t.Fatalf("exit code %d, %v; want 0", code, err)
		}
		ended := time.Now()
		scaler = rig.StartScaler(t, name, config, "--grpc-address="+address)
		next(ctx, t, active, name, true)
		took := time.Since(ended)
		t.Logf("%s was heard %v after the end of the one before", name, took.Round(time.Millisecond))
		if took > 3500*time.Millisecond {
			t.Errorf("%s was heard after %v: KEDA did not see a clean end", name, took)
		}
	}
}

// TestPollAgreesWithPush wants one state for both, and no push without a change.
func TestPollAgreesWithPush(t *testing.T) {
	t.Parallel()
	p := promquerytest.New(t, "")
	steady(t, p, "workers", 4)
	steady(t, p, "zmy", 0.99)
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: map[string]string{"default": p.URL}}.Write(t))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	trigger := rig.Trigger{Address: scaler.GRPC, Metadata: map[string]string{"zmyQuery": "zmy", "replicasQuery": "workers"}}
	active := run(t, trigger.Push(t))
	next(ctx, t, active, "an idle fleet", false)
	got, err := rig.Ask(ctx, trigger.Poll(t))
	if err != nil || got.Active {
		t.Errorf("a poll says %+v, %v; the push said inactive", got, err)
	}
	// The stream says nothing without a change; the next beat is far away.
	if err := wait.For(ctx, 3*time.Second); err != nil {
		t.Fatal(err)
	}
	select {
	case v := <-active:
		t.Errorf("pushed %v again without a change", v)
	default:
	}
}
