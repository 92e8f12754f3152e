package demo

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"
	"google.golang.org/grpc"

	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/fleet"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// scriptedScaler answers what a test has set.
type scriptedScaler struct {
	pb.ExternalScalerClient

	mu     sync.Mutex
	value  float64
	active bool
	err    error
	calls  []string
	// streams are the answers of each stream, one after the other; a stream
	// ends with EOF, a nil one with an error.
	streams [][]bool
}

func (s *scriptedScaler) call(name string) (float64, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, name)
	return s.value, s.active, s.err
}

func (s *scriptedScaler) GetMetricSpec(context.Context, *pb.ScaledObjectRef, ...grpc.CallOption) (*pb.GetMetricSpecResponse, error) {
	_, _, err := s.call("spec")
	return &pb.GetMetricSpecResponse{MetricSpecs: []*pb.MetricSpec{{MetricName: "zmy", TargetSize: 30, TargetSizeFloat: 30}}}, err
}

func (s *scriptedScaler) GetMetrics(_ context.Context, r *pb.GetMetricsRequest, _ ...grpc.CallOption) (*pb.GetMetricsResponse, error) {
	v, _, err := s.call("metrics " + r.GetMetricName())
	return &pb.GetMetricsResponse{MetricValues: []*pb.MetricValue{{MetricName: "zmy", MetricValueFloat: v}}}, err
}

func (s *scriptedScaler) IsActive(context.Context, *pb.ScaledObjectRef, ...grpc.CallOption) (*pb.IsActiveResponse, error) {
	_, active, err := s.call("active")
	return &pb.IsActiveResponse{Result: active}, err
}

func (s *scriptedScaler) StreamIsActive(context.Context, *pb.ScaledObjectRef, ...grpc.CallOption) (grpc.ServerStreamingClient[pb.IsActiveResponse], error) {
	if _, _, err := s.call("stream"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.streams) == 0 {
		return nil, errors.New("no more streams")
	}
	answers := s.streams[0]
	s.streams = s.streams[1:]
	return &scriptedStream{answers: answers, broken: answers == nil}, nil
}

type scriptedStream struct {
	grpc.ClientStream

	answers []bool
	broken  bool
}

func (s *scriptedStream) Recv() (*pb.IsActiveResponse, error) {
	switch {
	case s.broken:
		return nil, errors.New("the connection broke")
	case len(s.answers) == 0:
		return nil, io.EOF
	}
	answer := s.answers[0]
	s.answers = s.answers[1:]
	return &pb.IsActiveResponse{Result: answer}, nil
}

// listener notes what operators tell.
type listener struct {
	sizes  []string
	errors int
}

func (l *listener) why(*operator, time.Time) row       { return row{} }
func (l *listener) failed(*operator, time.Time, error) { l.errors++ }
func (l *listener) scaled(s scaling)                   { l.sizes = append(l.sizes, sizes(s.from, s.to)) }
func sizes(from, to int) string                        { return entry{from: from, to: to}.size() }
func testMember(t *testing.T, replicas, triggers int) *member {
	t.Helper()
	f, err := fleet.New(fleet.Config{Start: epoch, Replicas: replicas})
	if err != nil {
		t.Fatal(err)
	}
	load := workload{name: "a", max: 10, polling: 30 * time.Second, cooldown: time.Minute}
	load.triggers = slices.Repeat([]triggerSpec{{metricType: decision.Value, metadata: metadata(nil)}}, triggers)
	return &member{workload: load, fleet: f}
}

func TestOperatorTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		heard := &listener{}
		s := &scriptedScaler{value: 60, active: true}
		clk := clock.Scaled(epoch, 1)
		o := newOperator(testMember(t, 2, 1), s, clk, heard)

		o.sync(t.Context(), clk.Now())
		o.poll(t.Context(), clk.Now())
		if d := cmp.Diff([]string{"spec", "metrics zmy", "active", "spec", "metrics zmy", "active"}, s.calls); d != "" {
			t.Errorf("calls (-want +got):\n%s", d)
		}
		s.value, s.active = 30, false
		o.sync(t.Context(), clk.Now())
		o.poll(t.Context(), clk.Now())
		o.poll(t.Context(), clk.Now().Add(time.Minute))
		o.sync(t.Context(), clk.Now())
		s.err = errors.New("unavailable")
		o.poll(t.Context(), clk.Now())
		s.err, s.active = nil, true
		o.poll(t.Context(), clk.Now())
		s.err = errors.New("unavailable")
		o.sync(t.Context(), clk.Now())
		over, cancel := context.WithCancel(t.Context())
		cancel()
		o.sync(over, clk.Now())
		o.poll(over, clk.Now())
		if d := cmp.Diff([]string{"2 → 4", "4", "4 → 0", "0 → 1", "1"}, heard.sizes); d != "" {
			t.Errorf("sizes (-want +got):\n%s", d)
		}
		if heard.errors != 2 {
			t.Errorf("%d failures told, want 2", heard.errors)
		}
		if got := o.plan.Load(); !got.sync.After(clk.Now()) || !got.poll.After(clk.Now()) || got.sleep.IsZero() {
			t.Errorf("plan %+v", got)
		}
	})
}

// TestOperatorStream wakes a fleet by pushes, through streams that end well and
// badly, with KEDA's pauses in between.
func TestOperatorStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		heard := &listener{}
		s := &scriptedScaler{streams: [][]bool{{false}, nil, nil, {false, true}}}
		o := newOperator(testMember(t, 0, 1), s, clock.Scaled(epoch, 2), heard)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		began := time.Now()
		go func() { done <- o.follow(ctx) }()
		// 2 s after the clean end, then 4 s and 8 s, at twice the clock's speed.
		timer := time.NewTimer(7*time.Second + time.Millisecond)
		<-timer.C
		synctest.Wait()
		if d := cmp.Diff([]string{"0 → 1"}, heard.sizes); d != "" {
			t.Errorf("after %v (-want +got):\n%s", time.Since(began), d)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestEvery(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		clk := clock.Scaled(epoch, 10)
		ctx, cancel := context.WithCancel(t.Context())
		var at []time.Duration
		err := every(ctx, clk, 10*time.Second, func(now time.Time) error {
			at = append(at, now.Sub(epoch))
			switch len(at) {
			case 2: // late by two and a half turns
				late := clk.NewTimer(35 * time.Second)
				<-late.C
			case 4:
				cancel()
			}
			return nil
		})
		want := []time.Duration{0, 10 * time.Second, 45 * time.Second, 50 * time.Second}
		if d := cmp.Diff(want, at); d != "" || err != nil {
			t.Errorf("error %v, turns (-want +got):\n%s", err, d)
		}
		failure := errors.New("failed")
		if err := every(t.Context(), clk, time.Second, func(time.Time) error { return failure }); !errors.Is(err, failure) {
			t.Errorf("error %v", err)
		}
		if err := every(ctx, clk, time.Hour, func(time.Time) error { return failure }); err != nil {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestMilli(t *testing.T) {
	t.Parallel()
	tests := []struct {
		f    float64
		i    int64
		want int64
	}{
		{f: 30, i: 30, want: 30000},
		{f: 33.0004, i: 33, want: 33000},
		{f: 33.0006, i: 33, want: 33001},
		{f: 0, i: 7, want: 7000},
		{f: -1, i: 7, want: 7000},
		{f: 0, i: -7, want: 0},
	}
	for _, tt := range tests {
		if got := milli(tt.f, tt.i); got != tt.want {
			t.Errorf("milli(%v, %d) is %d, want %d", tt.f, tt.i, got, tt.want)
		}
	}
}
