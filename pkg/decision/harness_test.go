package decision_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// now is the grid instant that windows in these tests end at.
var now = time.Date(2026, 6, 10, 12, 0, 0, 0, time.UTC)

const interval = 15 * time.Second

// policy returns the documented defaults on a 15 s grid, changed by edit.
func policy(t testing.TB, edit func(*decision.Policy)) *decision.Policy {
	t.Helper()
	grid, err := zmy.NewGrid(interval)
	if err != nil {
		t.Fatal(err)
	}
	p := &decision.Policy{
		Grid: grid,
		Up:   0.3, Down: 0.9, Inactive: 0.95,
		DownDelay: 300 * time.Second,
		Target:    0.3, TargetMilli: 30000,
		CPUTarget: 0.7, CPUWeight: 0.5,
		Lookback:     interval,
		MaxStaleness: time.Minute,
		HoldFor:      10 * time.Minute,
	}
	if edit != nil {
		edit(p)
	}
	return p
}

// window builds a window that ends at now from one line a role. A line holds
// samples, oldest first and the newest last: a number, "_" for missing, "?" for
// not answered, "nan", "inf", "%" for out of range, "many" for several series;
// "x20" behind one repeats it 20 times, "~" before it marks it partial.
func window(t testing.TB, p *decision.Policy, lines map[zmy.Role]string) *zmy.Window {
	t.Helper()
	w := &zmy.Window{Grid: p.Grid}
	for role, line := range lines {
		samples := parse(t, role, line)
		s := zmy.NewSeries(max(len(samples), p.Ticks()))
		first := p.Grid.At(now) - zmy.Tick(len(samples)) + 1
		for i, v := range samples {
			s.Set(first+zmy.Tick(i), v)
		}
		w.Series[role] = s
	}
	return w
}

func parse(t testing.TB, role zmy.Role, line string) []zmy.Sample {
	t.Helper()
	named := map[string]zmy.Sample{
		"_": {State: zmy.Missing}, "?": {}, "nan": {State: zmy.NotANumber},
		"inf": {State: zmy.Infinite}, "%": {State: zmy.OutOfRange}, "many": {State: zmy.SeveralSeries},
	}
	var out []zmy.Sample
	for word := range strings.FieldsSeq(line) {
		value, times, repeated := strings.Cut(word, "x")
		n := 1
		if repeated {
			var err error
			if n, err = strconv.Atoi(times); err != nil {
				t.Fatalf("%q: %v", word, err)
			}
		}
		value, partial := strings.CutPrefix(value, "~")
		s, ok := named[value]
		if !ok {
			f, err := strconv.ParseFloat(value, 64)
			if err != nil {
				t.Fatalf("%q: %v", word, err)
			}
			s = role.Domain().Sample(f)
		}
		s.Partial = partial
		for range n {
			out = append(out, s)
		}
	}
	return out
}

// fleet returns a settled fleet of n replicas with bounds 1 to 100.
func fleet(n int) decision.Fleet {
	return decision.Fleet{
		Spec: decision.Known(n), Status: decision.Known(n), Ready: decision.Known(n),
		Min: 1, Max: 100,
		Tolerance: decision.Tolerance{Down: decision.DefaultTolerance, Up: decision.DefaultTolerance},
	}
}

// live returns the fleet as a call at now plus late sees it.
func live(f decision.Fleet, m decision.MetricType, late time.Duration) decision.Live {
	return decision.Live{Fleet: f, Now: now.Add(late), MetricType: m, FirstAsk: now}
}

// heard returns the replicas the HPA computes from what it is told.
func heard(p *decision.Policy, l decision.Live, told decision.Told) int {
	if l.MetricType == decision.Value {
		return decision.HPAValue(told.Value, p.TargetMilli, l.Spec.N, l.Ready.N, l.Tolerance)
	}
	return decision.HPAAverageValue(told.Value, p.TargetMilli, l.Status.N, l.Tolerance)
}

func decide(p *decision.Policy, w *zmy.Window, f decision.Fleet) decision.Decision {
	return decision.Decide(p, w, f, p.Grid.At(now))
}
