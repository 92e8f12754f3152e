package decision_test

import (
	"math/rand/v2"
	"testing"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

var tenth = decision.Tolerance{Down: 0.1, Up: 0.1}

func TestEncodeValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                 string
		target               int64
		desired, spec, ready int
		tol                  decision.Tolerance
		want                 int64
		hpa                  int
	}{
		{name: "hold is the target", target: 30000, desired: 10, spec: 10, ready: 10, tol: tenth, want: 30000, hpa: 10},
		{name: "hold during a surge", target: 30000, desired: 10, spec: 10, ready: 12, tol: tenth, want: 30000, hpa: 10},
		{name: "hold with unready pods", target: 30000, desired: 10, spec: 10, ready: 4, tol: tenth, want: 30000, hpa: 10},
		{name: "up", target: 30000, desired: 23, spec: 20, ready: 20, tol: tenth, want: 34500, hpa: 23},
		{name: "up with unready pods", target: 30000, desired: 23, spec: 20, ready: 10, tol: tenth, want: 69000, hpa: 23},
		{name: "down", target: 30000, desired: 3, spec: 20, ready: 20, tol: tenth, want: 4500, hpa: 3},
		{name: "a third", target: 30000, desired: 1, spec: 7, ready: 7, tol: tenth, want: 4285, hpa: 1},
		{name: "nine of ten needs the edge of the tolerance", target: 30000, desired: 9, spec: 12, ready: 10, tol: tenth, want: 26999, hpa: 9},
		{name: "no such value: the nearest toward spec", target: 30000, desired: 11, spec: 20, ready: 10, tol: tenth, want: 36000, hpa: 12},
		{name: "a count from before the step, pods from after it", target: 30000, desired: 11, spec: 4, ready: 11, tol: tenth, want: 30000, hpa: 4},
		{name: "no ready pod", target: 30000, desired: 5, spec: 3, ready: 0, tol: tenth, want: 30000, hpa: 3},
		{name: "no tolerance", target: 30000, desired: 21, spec: 20, ready: 20, want: 31500, hpa: 21},
		{name: "an odd target", target: 33333, desired: 7, spec: 3, ready: 3, tol: tenth, want: 77777, hpa: 7},
		{name: "a ratio whose product would round up", target: 7, desired: 3, spec: 1, ready: 1, tol: tenth, want: 21, hpa: 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := decision.EncodeValue(tt.target, tt.desired, tt.spec, tt.ready, tt.tol)
			if got != tt.want {
				t.Errorf("value %d, want %d", got, tt.want)
			}
			if n := decision.HPAValue(got, tt.target, tt.spec, tt.ready, tt.tol); n != tt.hpa {
				t.Errorf("the HPA computes %d, want %d", n, tt.hpa)
			}
		})
	}
}

func TestEncodeAverageValue(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		desired int
		status  decision.Count
		want    int64
		hpa     int
	}{
		{name: "hold", desired: 10, status: decision.Known(10), want: 300000, hpa: 10},
		{name: "up", desired: 23, status: decision.Known(20), want: 690000, hpa: 23},
		{name: "a surge of one in ten escapes below the tolerance", desired: 10, status: decision.Known(11), want: 296999, hpa: 10},
		{name: "a surge beyond the tolerance needs no escape", desired: 10, status: decision.Known(12), want: 300000, hpa: 10},
		{name: "a small surge of a large fleet cannot be escaped", desired: 100, status: decision.Known(105), want: 3000000, hpa: 105},
		{name: "status unknown", desired: 7, want: 210000, hpa: -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := decision.EncodeAverageValue(30000, tt.desired, tt.status, tenth)
			if got != tt.want {
				t.Errorf("value %d, want %d", got, tt.want)
			}
			if n := decision.HPAAverageValue(got, 30000, tt.status.N, tenth); tt.hpa >= 0 && n != tt.hpa {
				t.Errorf("the HPA computes %d, want %d", n, tt.hpa)
			}
		})
	}
}

// TestEncodeValueExhaustive checks, for every usage there is, that the chosen
// one gives desired wherever some usage does, that it is then the largest not
// above target*desired/ready, and that it never leads a step away from desired.
func TestEncodeValueExhaustive(t *testing.T) {
	t.Parallel()
	const target = 300
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		spec, ready, desired := 1+rng.IntN(30), 1+rng.IntN(35), 1+rng.IntN(40)
		tol := decision.Tolerance{Down: float64(rng.IntN(30)) / 100, Up: float64(rng.IntN(30)) / 100}
		best := int64(-1)
		for u := int64(target * desired / ready); u > 0; u-- {
			if decision.HPAValue(u, target, spec, ready, tol) == desired {
				best = u
				break
			}
		}
		got := decision.EncodeValue(target, desired, spec, ready, tol)
		n := decision.HPAValue(got, target, spec, ready, tol)
		switch {
		case desired == spec && got != target:
			t.Fatalf("hold is told %d", got)
		case desired != spec && best > 0 && got != best:
			t.Fatalf("desired %d, spec %d, ready %d, %+v: got %d (%d replicas), want %d", desired, spec, ready, tol, got, n, best)
		case desired > spec && best < 0 && got < target:
			t.Fatalf("desired %d, spec %d, ready %d, %+v: a scale-up is told %d", desired, spec, ready, tol, got)
		case (n-desired)*(n-spec) > 0:
			t.Fatalf("desired %d, spec %d, ready %d, %+v: %d leads to %d, outside of both", desired, spec, ready, tol, got, n)
		}
	}
}

func TestHPAAtTheLimits(t *testing.T) {
	t.Parallel()
	const most = 1<<31 - 1
	if n := decision.HPAValue(1<<60, 1, 1, 1000, tenth); n != most {
		t.Errorf("Value: %d, want %d", n, most)
	}
	if n := decision.HPAAverageValue(1<<60, 1, 1, tenth); n != most {
		t.Errorf("AverageValue: %d, want %d", n, most)
	}
	if n := decision.HPAValue(2500, 1000, 0, 0, tenth); n != 3 {
		t.Errorf("from zero: %d, want 3", n)
	}
	if v := decision.EncodeAverageValue(100_000_000, 1<<31, decision.Count{}, tenth); v <= 0 {
		t.Errorf("value %d overflowed", v)
	}
	if v := decision.EncodeValue(1<<40, 1<<31-1, 5, 1, tenth); v <= 0 {
		t.Errorf("value %d overflowed", v)
	}
}
