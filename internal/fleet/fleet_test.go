package fleet_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infra-arch/zmy-scaler/internal/fleet"
)

var start = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return start.Add(d) }

func make1(t testing.TB, cfg fleet.Config) *fleet.Fleet {
	t.Helper()
	cfg.Start = start
	f, err := fleet.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSteps drives one fleet through steps of 10 s and looks at each reading.
func TestSteps(t *testing.T) {
	t.Parallel()
	type step struct {
		demand   float64
		replicas int // set before the step
		want     fleet.Reading
	}
	tests := []struct {
		name  string
		cfg   fleet.Config
		steps []step
	}{
		{
			name: "enough workers: idle in part, nothing waits",
			cfg:  fleet.Config{Replicas: 4, IdleCPU: 0.1, BusyCPU: 0.9},
			steps: []step{
				{demand: 1, replicas: 4, want: fleet.Reading{Spec: 4, Ready: 4, Demand: 1, Load: 0.25, CPU: 0.3, Arrived: 10, Done: 10}},
				{demand: 0, replicas: 4, want: fleet.Reading{Spec: 4, Ready: 4, CPU: 0.1, Arrived: 10, Done: 10}},
			},
		},
		{
			name: "too few workers: work waits, and is done later",
			cfg:  fleet.Config{Replicas: 1, TaskTime: 2 * time.Second},
			steps: []step{
				{demand: 2, replicas: 1, want: fleet.Reading{Spec: 1, Ready: 1, Demand: 2, Load: 1, Waiting: 5, Arrived: 20, Done: 10, Backlog: 10}},
				{demand: 0, replicas: 1, want: fleet.Reading{Spec: 1, Ready: 1, Load: 1, Arrived: 20, Done: 20}},
				{demand: 0, replicas: 1, want: fleet.Reading{Spec: 1, Ready: 1, Arrived: 20, Done: 20}},
			},
		},
		{
			name: "a new worker takes its time, and counts from the middle of a step on",
			cfg:  fleet.Config{Replicas: 1, StartDelay: 15 * time.Second},
			steps: []step{
				{demand: 1, replicas: 2, want: fleet.Reading{Spec: 2, Ready: 1, Demand: 1, Load: 1, Arrived: 10, Done: 10, NextReady: 5 * time.Second}},
				{demand: 1, replicas: 2, want: fleet.Reading{Spec: 2, Ready: 2, Demand: 1, Load: 10.0 / 15, Arrived: 20, Done: 20}},
				{demand: 1, replicas: 2, want: fleet.Reading{Spec: 2, Ready: 2, Demand: 1, Load: 0.5, Arrived: 30, Done: 30}},
			},
		},
		{
			name: "a removed worker goes at once, the unready ones first",
			cfg:  fleet.Config{Replicas: 2, StartDelay: time.Minute},
			steps: []step{
				{demand: 1, replicas: 4, want: fleet.Reading{Spec: 4, Ready: 2, Demand: 1, Load: 0.5, Arrived: 10, Done: 10, NextReady: 50 * time.Second}},
				{demand: 1, replicas: 3, want: fleet.Reading{Spec: 3, Ready: 2, Demand: 1, Load: 0.5, Arrived: 20, Done: 20, NextReady: 40 * time.Second}},
				{demand: 1, replicas: 1, want: fleet.Reading{Spec: 1, Ready: 1, Demand: 1, Load: 1, Arrived: 30, Done: 30}},
			},
		},
		{
			name: "at zero work waits; a worker that is just ready is busy with it",
			cfg:  fleet.Config{StartDelay: 20 * time.Second},
			steps: []step{
				{demand: 0.5, replicas: 0, want: fleet.Reading{Demand: 0.5, Load: 1, Waiting: 5, Arrived: 5, Backlog: 5}},
				{demand: 0, replicas: 1, want: fleet.Reading{Spec: 1, Load: 1, Waiting: 5, Arrived: 5, Backlog: 5, NextReady: 10 * time.Second}},
				{demand: 0, replicas: 1, want: fleet.Reading{Spec: 1, Ready: 1, Load: 1, Waiting: 5, Arrived: 5, Backlog: 5}},
				{demand: 0, replicas: 1, want: fleet.Reading{Spec: 1, Ready: 1, Load: 0.5, Arrived: 5, Done: 5}},
				{demand: 0, replicas: -1, want: fleet.Reading{Arrived: 5, Done: 5}},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := make1(t, tt.cfg)
			for i, s := range tt.steps {
				f.SetDemand(fleet.Steady(s.demand))
				f.SetReplicas(s.replicas)
				now := at(time.Duration(i+1) * 10 * time.Second)
				got := f.Step(now)
				s.want.At = now
				if d := cmp.Diff(s.want, got, cmpopts.EquateApprox(0, 1e-9)); d != "" {
					t.Errorf("step %d (-want +got):\n%s", i+1, d)
				}
				if again := f.Step(now); again.At != got.At || again.Done != got.Done {
					t.Errorf("step %d: the same time again gave %+v", i+1, again)
				}
			}
		})
	}
}

// TestConservation resizes fleets at random under random demands: no work is
// lost or made up, and no number leaves its range.
func TestConservation(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 1))
		f := make1(t, fleet.Config{
			Replicas: rng.IntN(5), StartDelay: time.Duration(rng.IntN(60)) * time.Second,
			Noise: 0.3, Seed: seed, IdleCPU: 0.1, BusyCPU: 0.8,
		})
		now, arrived := start, 0.0
		for range 200 {
			if rng.IntN(4) == 0 {
				f.SetReplicas(rng.IntN(10))
			}
			if rng.IntN(4) == 0 {
				f.SetDemand(fleet.Steady(5 * rng.Float64()))
			}
			before, step := f.Read(), time.Duration(1+rng.IntN(30000))*time.Millisecond
			now = now.Add(step)
			r := f.Step(now)
			arrived += r.Demand * step.Seconds()
			if got := r.Done + r.Backlog; math.Abs(got-arrived) > 1e-6 || math.Abs(r.Arrived-arrived) > 1e-6 {
				t.Fatalf("seed %d: %v done and waiting, %v counted, %v arrived", seed, got, r.Arrived, arrived)
			}
			if r.Backlog < 0 || r.Done < before.Done || r.Load < 0 || r.Load > 1 || r.CPU < 0.1-1e-9 || r.CPU > 0.8+1e-9 {
				t.Fatalf("seed %d: out of range: %+v", seed, r)
			}
			if r.Ready > r.Spec || r.NextReady < 0 || (r.NextReady > 0) != (r.Ready < r.Spec) {
				t.Fatalf("seed %d: the counts do not agree: %+v", seed, r)
			}
			if done := r.Done - before.Done; done > float64(r.Spec)*step.Seconds()+1e-9 {
				t.Fatalf("seed %d: %v done by %d workers in %v", seed, done, r.Spec, step)
			}
		}
	}
}

func TestRepeatable(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) []fleet.Reading {
		f := make1(t, fleet.Config{Replicas: 3, Demand: fleet.Steady(2), Noise: 0.2, Seed: seed})
		var all []fleet.Reading
		for i := range 50 {
			all = append(all, f.Step(at(time.Duration(i+1)*5*time.Second)))
		}
		return all
	}
	if d := cmp.Diff(run(1), run(1)); d != "" {
		t.Errorf("the same seed gave different readings:\n%s", d)
	}
	if cmp.Equal(run(1), run(2)) {
		t.Error("another seed gave the same noise")
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]fleet.Config{
		"replicas":    {Replicas: -1},
		"start delay": {StartDelay: -1},
		"task time":   {TaskTime: -1},
		"noise":       {Noise: -1},
		"CPU":         {BusyCPU: -1},
	} {
		if _, err := fleet.New(cfg); !errors.Is(err, fleet.ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
}

func TestCurves(t *testing.T) {
	t.Parallel()
	day := fleet.Day(4, 20*time.Minute, 10*time.Minute)
	bursts := fleet.Bursts(1, 5, 2*time.Minute, time.Minute, 10*time.Minute)
	tests := []struct {
		name  string
		curve fleet.Curve
		at    time.Duration
		want  float64
	}{
		{name: "steady", curve: fleet.Steady(2), at: time.Hour, want: 2},
		{name: "before the first burst", curve: bursts, at: 119 * time.Second, want: 1},
		{name: "the first burst", curve: bursts, at: 2 * time.Minute, want: 5},
		{name: "after it", curve: bursts, at: 3 * time.Minute, want: 1},
		{name: "the next burst", curve: bursts, at: 12*time.Minute + 59*time.Second, want: 5},
		{name: "dawn", curve: day, at: 0, want: 0},
		{name: "noon", curve: day, at: 10 * time.Minute, want: 4},
		{name: "dusk", curve: day, at: 20 * time.Minute, want: 0},
		{name: "night", curve: day, at: 29 * time.Minute, want: 0},
		{name: "the next noon", curve: day, at: 40 * time.Minute, want: 4},
		{name: "the noon before", curve: day, at: -20 * time.Minute, want: 4},
		{name: "noon, later", curve: day.Later(3 * time.Minute), at: 13 * time.Minute, want: 4},
	}
	for _, tt := range tests {
		if got := tt.curve(tt.at); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
