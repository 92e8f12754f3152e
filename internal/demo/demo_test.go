package demo

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// TestRunShowsAll runs the demo as a user does, but faster, and in lines.
func TestRunShowsAll(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes fifteen seconds")
	}
	var out syncBuilder
	report, err := Run(t.Context(), Options{For: 15 * time.Second, Speed: 100, Out: &out})
	if err != nil || len(report.Missing()) > 0 {
		t.Errorf("%v, missing %v", err, report.Missing())
	}
	// At this speed a machine that is busy for six seconds has been without
	// data for longer than holdFor: a few turns may fail, not most of them.
	if report.Failed > 25 {
		t.Errorf("%d turns failed", report.Failed)
	}
	text := out.String()
	for _, word := range []string{"scale_up", "hold", "scale_down", "inactive", "woken", "0 → 1", "1 → 0", "cooldown", "render/trial", "All of it was shown"} {
		if !strings.Contains(text, word) {
			t.Errorf("no %q", word)
		}
	}
	if len(report.Fleets) != len(scenario()) || report.Demo < 20*time.Minute {
		t.Errorf("%d fleets in %v", len(report.Fleets), report.Demo)
	}
	if t.Failed() {
		t.Logf("shown:\n%s", text)
	}
}

// TestRunLive draws on a terminal, ends before it has shown all, and says so.
func TestRunLive(t *testing.T) {
	t.Parallel()
	var out syncBuilder
	term := Terminal{Live: true, Size: func() (int, int) { return 100, 40 }}
	report, err := Run(t.Context(), Options{For: 300 * time.Millisecond, Out: &out, Terminal: term})
	if missing, ok := errors.AsType[*MissingError](err); !ok || len(missing.Events) == 0 {
		t.Errorf("error %v, missing %v", err, report.Missing())
	}
	text := out.String()
	drawing, after, left := strings.Cut(text, escLeave)
	if !strings.HasPrefix(text, escEnter+escHome) || !left {
		t.Error("it did not give the terminal back")
	}
	if !strings.Contains(drawing, "payment") || !strings.Contains(after, "Not shown") {
		t.Errorf("drawn %q\nand then %q", drawing, after)
	}
}

// TestRunStopped ends a demo that would go on for ever.
func TestRunStopped(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	out := &syncBuilder{wrote: func(text string) {
		if strings.Contains(text, "render/trial") {
			cancel()
		}
	}}
	if _, err := Run(ctx, Options{Out: out}); err != nil {
		t.Error(err)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, speed := range []float64{-1, MaxSpeed + 1} {
		if _, err := Run(t.Context(), Options{Out: &syncBuilder{}, Speed: speed}); !errors.Is(err, ErrSpeed) {
			t.Errorf("speed %v: %v", speed, err)
		}
	}
	if _, err := Run(t.Context(), Options{Out: &syncBuilder{}, GRPCAddress: taken.Addr().String()}); err == nil {
		t.Error("it took an address that is taken")
	}
	for _, term := range []Terminal{{}, {Live: true}} {
		if _, err := Run(t.Context(), Options{Out: brokenWriter{}, Terminal: term}); !errors.Is(err, errBroken) {
			t.Errorf("nobody reads: %v", err)
		}
	}
}

// TestTriggersParse holds the scenario against the scaler's own table.
func TestTriggersParse(t *testing.T) {
	t.Parallel()
	for _, load := range scenario() {
		for i, spec := range load.triggers {
			trig, err := trigger.Parse(spec.metadata, trigger.Server{Interval: 15 * time.Second})
			if err != nil {
				t.Errorf("%s, trigger %d: %v", load.name, i, err)
				continue
			}
			if trig.Policy.Shadow != (i > 0) {
				t.Errorf("%s, trigger %d: shadow mode is %v", load.name, i, trig.Policy.Shadow)
			}
			if window := time.Duration(trig.Policy.Ticks()) * 15 * time.Second; window > preload {
				t.Errorf("%s, trigger %d: a window of %v is longer than the history", load.name, i, window)
			}
		}
	}
}

func TestWorldLooksLikeKubernetes(t *testing.T) {
	t.Parallel()
	w, err := newWorld(scenario(), epoch)
	if err != nil {
		t.Fatal(err)
	}
	if view := w.Look(t.Context(), namespace, "nobody", nil); view.Found || !view.Known {
		t.Errorf("an object that is not there: %+v", view)
	}
	m := w.byName["render"]
	view := w.Look(t.Context(), namespace, "render", m.triggers[1].metadata)
	if !view.Found || !view.MetricTypeKnown || view.MetricType != decision.AverageValue || !view.Fleet.Accompanied {
		t.Errorf("render: %+v", view)
	}
	if view.Fleet.Spec != decision.Known(10) || view.Fleet.Ready != decision.Known(10) || view.Fleet.Max != 20 {
		t.Errorf("render's fleet: %+v", view.Fleet)
	}
	if view := w.Look(t.Context(), namespace, "render", nil); view.MetricTypeKnown {
		t.Error("a trigger that is not in the object has a metric type")
	}
	bad := scenario()
	bad[0].fleet.Replicas = -1
	if _, err := newWorld(bad, epoch); err == nil {
		t.Error("a fleet of -1 was built")
	}
}

// TestObserverTellsFailuresOnce keeps a broken scaler from flooding the output.
func TestObserverTellsFailuresOnce(t *testing.T) {
	t.Parallel()
	var told []entry
	o := newObserver(epoch, func() []engine.Status { return nil }, func(e entry) { told = append(told, e) })
	op := &operator{member: testMember(t, 2, 1)}
	op.publish()
	o.add(op)
	failure := errors.New("unavailable")
	o.failed(op, epoch, failure)
	o.failed(op, epoch, failure)
	o.look(epoch)
	if len(told) != 1 || told[0].row.reason != "unavailable" || o.finish(epoch, 0).Failed != 2 {
		t.Errorf("told %v", told)
	}
	if p := o.shown(epoch); len(p.rows) != 1 || len(p.trails) != 1 || len(p.recent) != 1 {
		t.Errorf("shown %+v", p)
	}
}

// syncBuilder is a strings.Builder for several goroutines.
type syncBuilder struct {
	wrote func(string)

	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuilder) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrote != nil {
		s.wrote(string(p))
	}
	return s.b.Write(p)
}

func (s *syncBuilder) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
