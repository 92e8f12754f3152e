package decision_test

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

type lines = map[zmy.Role]string

func TestDecide(t *testing.T) {
	t.Parallel()
	edit := func(edits ...func(*decision.Policy)) func(*decision.Policy) {
		return func(p *decision.Policy) {
			for _, e := range edits {
				e(p)
			}
		}
	}
	delayUp := func(d time.Duration) func(*decision.Policy) {
		return func(p *decision.Policy) { p.UpDelay = d }
	}
	mode := func(m decision.ScaleDownMode) func(*decision.Policy) {
		return func(p *decision.Policy) { p.Mode = m }
	}
	noDelay := func(p *decision.Policy) { p.DownDelay = 0 }
	cpu := func(p *decision.Policy) { p.HasCPU = true }
	guard := func(p *decision.Policy) { p.HasGuard = true }
	bounds := func(lo, hi int) func(*decision.Fleet) {
		return func(f *decision.Fleet) { f.Min, f.Max = lo, hi }
	}

	tests := []struct {
		name    string
		policy  func(*decision.Policy)
		window  lines
		r       int
		fleet   func(*decision.Fleet)
		band    decision.Band
		reason  decision.Reason
		desired int
	}{
		// Bands and their boundaries.
		{name: "inside the band", window: lines{zmy.Yield: "0.5x50", zmy.Workers: "10x50"}, r: 10, band: decision.Hold, reason: decision.Steady, desired: 10},
		{name: "0.3 exactly holds", window: lines{zmy.Yield: "0.3x50", zmy.Workers: "10x50"}, r: 10, band: decision.Hold, reason: decision.Steady, desired: 10},
		{name: "below 0.3 scales up at once", window: lines{zmy.Yield: "0.5x49 0.29", zmy.Workers: "10x50"}, r: 10, band: decision.ScaleUp, reason: decision.Saturated, desired: 24},
		{name: "0.9 exactly holds", window: lines{zmy.Yield: "0.9x50", zmy.Workers: "10x50"}, r: 10, band: decision.Hold, reason: decision.Steady, desired: 10},
		{name: "above 0.9 scales down", window: lines{zmy.Yield: "0.91x50", zmy.Workers: "10x50"}, r: 10, band: decision.ScaleDown, reason: decision.Idle, desired: 2},
		{name: "0.95 exactly is inactive", window: lines{zmy.Yield: "0.95x50", zmy.Workers: "10x50"}, r: 10, band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{name: "just below 0.95 is not", window: lines{zmy.Yield: "0.95x49 0.9499", zmy.Workers: "10x50"}, r: 10, band: decision.ScaleDown, reason: decision.Idle, desired: 1},
		{name: "13 workers at 0.95 are inactive", window: lines{zmy.Yield: "0.95x50", zmy.Workers: "13x50"}, r: 13, band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{name: "14 workers at 0.95 do too much for one", window: lines{zmy.Yield: "0.95x50", zmy.Workers: "14x50"}, r: 14, band: decision.ScaleDown, reason: decision.Idle, desired: 2},
		{name: "100 workers at 0.96 are doing four workers' work", window: lines{zmy.Yield: "0.96x50", zmy.Workers: "100x50"}, r: 100, band: decision.ScaleDown, reason: decision.Idle, desired: 6},
		{name: "inactive looks at the heaviest work of the delay, not the last", window: lines{zmy.Yield: "0.95x40 1x10", zmy.Workers: "20x50"}, r: 20, band: decision.ScaleDown, reason: decision.Idle, desired: 2},
		{
			name:   "one threshold for down and inactive",
			policy: func(p *decision.Policy) { p.Down = 0.95 },
			window: lines{zmy.Yield: "0.95x50", zmy.Workers: "2x50"}, r: 2, band: decision.Inactive, reason: decision.NothingToDo, desired: 1,
		},

		// Delays.
		{name: "idle for exactly the delay", window: lines{zmy.Yield: "0.5x9 0.97x21", zmy.Workers: "5x50"}, r: 5, band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{name: "idle for one tick less", window: lines{zmy.Yield: "0.5x9 0.97x20", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.IdlePending, desired: 5},
		{name: "one tick above the band breaks the row", window: lines{zmy.Yield: "0.97x30 0.9 0.97x19", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.IdlePending, desired: 5},
		{name: "one gap forgiven", window: lines{zmy.Yield: "0.97x30 _ 0.97x15", zmy.Workers: "5x50"}, r: 5, band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{name: "an unanswered tick is a gap too", window: lines{zmy.Yield: "0.97x30 ? 0.97x15", zmy.Workers: "5x50"}, r: 5, band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{name: "a bad tick is a gap too", window: lines{zmy.Yield: "0.97x30 nan 0.97x15", zmy.Workers: "5x50"}, r: 5, band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{name: "two gaps are not", window: lines{zmy.Yield: "0.97x30 _ 0.97x5 _ 0.97x9", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.IdlePending, desired: 5},
		{name: "two gaps side by side are not", window: lines{zmy.Yield: "0.97x30 _x2 0.97x14", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.IdlePending, desired: 5},
		{name: "a gap at the old end is not inside the row", window: lines{zmy.Yield: "0.97x9 _ 0.97x20", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.IdlePending, desired: 5},
		{name: "a gap at the new end moves the row back", window: lines{zmy.Yield: "0.97x21 _", zmy.Workers: "5x50"}, r: 5, band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{name: "and the row must be whole there", window: lines{zmy.Yield: "0.97x20 _", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.IdlePending, desired: 5},
		{name: "scale-up waits for its delay", policy: delayUp(time.Minute), window: lines{zmy.Yield: "0.5 0.1x4", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.SaturatedPending, desired: 5},
		{name: "and comes after it", policy: delayUp(time.Minute), window: lines{zmy.Yield: "0.5 0.1x5", zmy.Workers: "5x50"}, r: 5, band: decision.ScaleUp, reason: decision.Saturated, desired: 15},
		{name: "a delay shorter than the grid is one tick", policy: delayUp(10 * time.Second), window: lines{zmy.Yield: "0.5 0.1", zmy.Workers: "5x50"}, r: 5, band: decision.ScaleUp, reason: decision.Saturated, desired: 15},
		{name: "idle, then less so, is still a scale-down", window: lines{zmy.Yield: "0.97x10 0.92x11", zmy.Workers: "5x50"}, r: 5, band: decision.ScaleDown, reason: decision.Idle, desired: 1},
		{name: "inactive only recently is a scale-down", window: lines{zmy.Yield: "0.92x10 0.97x11", zmy.Workers: "5x50"}, r: 5, band: decision.ScaleDown, reason: decision.Idle, desired: 1},

		// Scale-down modes.
		{name: "safe stays out of the scale-up band", policy: mode(decision.Safe), window: lines{zmy.Yield: "0.93x50", zmy.Workers: "40x50"}, r: 40, band: decision.ScaleDown, reason: decision.Idle, desired: 5},
		{name: "safe at a whole number takes one more", policy: mode(decision.Safe), window: lines{zmy.Yield: "0.93x50", zmy.Workers: "20x50"}, r: 20, band: decision.ScaleDown, reason: decision.Idle, desired: 3},
		{name: "floor goes to one", policy: mode(decision.Floor), window: lines{zmy.Yield: "0.92x50", zmy.Workers: "10x50"}, r: 10, band: decision.ScaleDown, reason: decision.Idle, desired: 1},
		{name: "proportional sizes to the target", policy: mode(decision.Proportional), window: lines{zmy.Yield: "0.92x50", zmy.Workers: "10x50"}, r: 10, band: decision.ScaleDown, reason: decision.Idle, desired: 3},
		{name: "the heaviest work in the delay counts", policy: mode(decision.Proportional), window: lines{zmy.Yield: "0.91x10 0.99x11", zmy.Workers: "20x50"}, r: 20, band: decision.ScaleDown, reason: decision.Idle, desired: 6},
		{name: "work before the delay does not", policy: edit(mode(decision.Proportional), noDelay), window: lines{zmy.Yield: "0.5x40 0.94", zmy.Workers: "20x50"}, r: 20, band: decision.ScaleDown, reason: decision.Idle, desired: 4},

		// CPU.
		{name: "cpu weighs in", policy: cpu, window: lines{zmy.Yield: "0.2", zmy.CPU: "0.7", zmy.Workers: "10"}, r: 10, band: decision.ScaleUp, reason: decision.Saturated, desired: 19},
		{name: "cpu missing: the load alone", policy: cpu, window: lines{zmy.Yield: "0.2", zmy.CPU: "_", zmy.Workers: "10"}, r: 10, band: decision.ScaleUp, reason: decision.Saturated, desired: 27},
		{name: "cpu a minute old still weighs", policy: cpu, window: lines{zmy.Yield: "0.2x5", zmy.CPU: "0.7 _x4", zmy.Workers: "10x5"}, r: 10, band: decision.ScaleUp, reason: decision.Saturated, desired: 19},
		{name: "cpu older than maxStaleness does not", policy: cpu, window: lines{zmy.Yield: "0.2x6", zmy.CPU: "0.7 _x5", zmy.Workers: "10x6"}, r: 10, band: decision.ScaleUp, reason: decision.Saturated, desired: 27},
		{name: "cpu later than the yield is not seen", policy: cpu, window: lines{zmy.Yield: "0.2 _", zmy.CPU: "_ 0.7", zmy.Workers: "10x2"}, r: 10, band: decision.ScaleUp, reason: decision.Saturated, desired: 27},
		{
			name: "idle cpu: not CPU-bound", policy: edit(cpu, func(p *decision.Policy) { p.CPUWeight = 0.9 }),
			window: lines{zmy.Yield: "0.2", zmy.CPU: "0.1", zmy.Workers: "10"}, r: 10, band: decision.Hold, reason: decision.NotCPUBound, desired: 10,
		},

		// Work.
		{
			name:   "a step that is still settling is not compounded",
			policy: func(p *decision.Policy) { p.Lookback = 5 * time.Minute },
			// 8 busy workers; 10 of 20 samples with 10 workers, 10 with 20:
			// the averaged load is 8*(1/10+1/20)/2 = 0.6, made 0.71 here by
			// work 9.4666, so that the harmonic mean, 13.33, gives it back.
			window: lines{zmy.Yield: "0.29", zmy.Workers: "10x10 20x10"}, r: 20,
			band: decision.ScaleUp, reason: decision.Saturated, desired: 32,
		},
		{
			name:   "a clipped yield takes the newest count",
			policy: func(p *decision.Policy) { p.Lookback = 5 * time.Minute },
			window: lines{zmy.Yield: "0", zmy.Workers: "10x10 20x10"}, r: 20, band: decision.ScaleUp, reason: decision.Saturated, desired: 67,
		},
		{
			name:   "zero workers are no workers, not a zero in the mean",
			policy: func(p *decision.Policy) { p.Lookback = 5 * time.Minute },
			window: lines{zmy.Yield: "0.2", zmy.Workers: "0x10 10x10"}, r: 10, band: decision.ScaleUp, reason: decision.Saturated, desired: 27,
		},
		{name: "workers missing at the instant: the newest count", window: lines{zmy.Yield: "0.2x3", zmy.Workers: "10 _x2"}, r: 10, band: decision.ScaleUp, reason: decision.Saturated, desired: 27},
		{name: "workers stale: hold", window: lines{zmy.Yield: "0.2x6", zmy.Workers: "10 _x5"}, r: 10, band: decision.Hold, reason: decision.WorkersUnknown, desired: 10},
		{name: "workers never known: no scale-down", window: lines{zmy.Yield: "0.97x50"}, r: 10, band: decision.Hold, reason: decision.WorkersUnknown, desired: 10},
		{name: "new workers are not ready yet: no second step", window: lines{zmy.Yield: "0.2", zmy.Workers: "10"}, r: 27, band: decision.Hold, reason: decision.WorkersStarting, desired: 27},
		{
			name: "replica history unknown", policy: func(p *decision.Policy) { p.Lookback = 5 * time.Minute },
			window: lines{zmy.Yield: "0.2", zmy.Workers: "10x20"}, r: 10,
			fleet: func(f *decision.Fleet) { f.UnseenScale = now.Add(-119 * time.Second) },
			band:  decision.Hold, reason: decision.HistoryUnknown, desired: 10,
		},
		{
			name: "for two minutes at most", policy: func(p *decision.Policy) { p.Lookback = 5 * time.Minute },
			window: lines{zmy.Yield: "0.2", zmy.Workers: "10x20"}, r: 10,
			fleet: func(f *decision.Fleet) { f.UnseenScale = now.Add(-120 * time.Second) },
			band:  decision.ScaleUp, reason: decision.Saturated, desired: 27,
		},
		{
			name:   "and not longer than the lookback",
			window: lines{zmy.Yield: "0.2", zmy.Workers: "10x20"}, r: 10,
			fleet: func(f *decision.Fleet) { f.UnseenScale = now.Add(-15 * time.Second) },
			band:  decision.ScaleUp, reason: decision.Saturated, desired: 27,
		},

		// Guard and partial data.
		{name: "guard at zero permits", policy: guard, window: lines{zmy.Yield: "0.97x50", zmy.Guard: "0x50", zmy.Workers: "5x50"}, r: 5, band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{name: "guard above zero forbids", policy: guard, window: lines{zmy.Yield: "0.97x50", zmy.Guard: "0x49 0.1", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.GuardAbove, desired: 5},
		{name: "guard missing forbids", policy: guard, window: lines{zmy.Yield: "0.97x50", zmy.Guard: "0x49 _", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.GuardMissing, desired: 5},
		{name: "guard does not touch scale-up", policy: guard, window: lines{zmy.Yield: "0.2", zmy.Guard: "1", zmy.Workers: "10"}, r: 10, band: decision.ScaleUp, reason: decision.Saturated, desired: 27},
		{name: "partial data never scales down", window: lines{zmy.Yield: "0.97x49 ~0.97", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.PartialData, desired: 5},
		{name: "partial data with nothing after it never scales down", window: lines{zmy.Yield: "0.97x48 ~0.97 _", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.PartialData, desired: 5},
		{name: "partial replicas with nothing after them neither", window: lines{zmy.Yield: "0.97x49 _", zmy.Workers: "5x48 ~5 _"}, r: 5, band: decision.Hold, reason: decision.PartialData, desired: 5},
		{name: "good data after partial data scales down", window: lines{zmy.Yield: "0.97x40 ~0.97 0.97x8 _", zmy.Workers: "5x50"}, r: 5, band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{name: "partial replicas are partial data", window: lines{zmy.Yield: "0.97x50", zmy.Workers: "5x49 ~5"}, r: 5, band: decision.Hold, reason: decision.PartialData, desired: 5},
		{name: "partial data may scale up", window: lines{zmy.Yield: "~0.2", zmy.Workers: "10"}, r: 10, band: decision.ScaleUp, reason: decision.Saturated, desired: 27},

		// Bounds and tolerance.
		{name: "bounded above", window: lines{zmy.Yield: "0.1", zmy.Workers: "10"}, r: 10, fleet: bounds(1, 20), band: decision.ScaleUp, reason: decision.Saturated, desired: 20},
		{name: "at the maximum", window: lines{zmy.Yield: "0.1", zmy.Workers: "10"}, r: 10, fleet: bounds(1, 10), band: decision.Hold, reason: decision.AtMax, desired: 10},
		{name: "bounded below", window: lines{zmy.Yield: "0.94x50", zmy.Workers: "10x50"}, r: 10, fleet: bounds(4, 20), band: decision.ScaleDown, reason: decision.Idle, desired: 4},
		{name: "at the minimum", window: lines{zmy.Yield: "0.94x50", zmy.Workers: "4x50"}, r: 4, fleet: bounds(4, 20), band: decision.Hold, reason: decision.AtMin, desired: 4},
		{name: "inactive at the minimum", window: lines{zmy.Yield: "0.96x50", zmy.Workers: "1x50"}, r: 1, fleet: bounds(0, 20), band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{
			name: "20 replicas, 21.2 wanted: 23", policy: edit(cpu, func(p *decision.Policy) { p.CPUWeight = 1 }),
			window: lines{zmy.Yield: "0.2", zmy.CPU: "0.742", zmy.Workers: "20"}, r: 20, band: decision.ScaleUp, reason: decision.Saturated, desired: 23,
		},
		{
			name: "20 replicas, 20.9 wanted: hold", policy: edit(cpu, func(p *decision.Policy) { p.CPUWeight = 1 }),
			window: lines{zmy.Yield: "0.2", zmy.CPU: "0.7315", zmy.Workers: "20"}, r: 20, band: decision.Hold, reason: decision.UpWithinTolerance, desired: 20,
		},
		{
			name: "the raised step may pass the maximum", policy: edit(cpu, func(p *decision.Policy) { p.CPUWeight = 1 }),
			window: lines{zmy.Yield: "0.2", zmy.CPU: "0.742", zmy.Workers: "20"}, r: 20, fleet: bounds(1, 21), band: decision.ScaleUp, reason: decision.Saturated, desired: 23,
		},
		{
			name: "a lower tolerance: 22", policy: edit(cpu, func(p *decision.Policy) { p.CPUWeight = 1 }),
			window: lines{zmy.Yield: "0.2", zmy.CPU: "0.742", zmy.Workers: "20"}, r: 20,
			fleet: func(f *decision.Fleet) { f.Tolerance = decision.Tolerance{} },
			band:  decision.ScaleUp, reason: decision.Saturated, desired: 22,
		},
		{
			name: "a scale-down inside the tolerance", policy: func(p *decision.Policy) { p.Up, p.Down, p.Target = 0.05, 0.1, 0.92 },
			window: lines{zmy.Yield: "0.12x50", zmy.Workers: "20x50"}, r: 20, band: decision.Hold, reason: decision.DownWithinTolerance, desired: 20,
		},
		{
			name: "work that needs all", policy: edit(mode(decision.Proportional), func(p *decision.Policy) { p.Down, p.Target = 0.5, 0.501 }),
			window: lines{zmy.Yield: "0.51x40 0.9x5", zmy.Workers: "20x40 5x5"}, r: 5, band: decision.Hold, reason: decision.WorkNeedsAll, desired: 5,
		},

		// Missing data.
		{name: "nothing at all", window: lines{zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.NoData, desired: 5},
		{name: "stale", window: lines{zmy.Yield: "0.97x30 _x5", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.StaleData, desired: 5},
		{name: "a minute old is fresh", window: lines{zmy.Yield: "0.97x30 _x4", zmy.Workers: "5x50"}, r: 5, band: decision.Inactive, reason: decision.NothingToDo, desired: 1},
		{name: "NaN", window: lines{zmy.Yield: "nanx50", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.BadData, desired: 5},
		{name: "infinite", window: lines{zmy.Yield: "infx50", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.BadData, desired: 5},
		{name: "percent", window: lines{zmy.Yield: "97x50", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.BadData, desired: 5},
		{name: "several series", window: lines{zmy.Yield: "manyx50", zmy.Workers: "5x50"}, r: 5, band: decision.Hold, reason: decision.BadData, desired: 5},

		// Zero.
		{name: "absent at zero", window: lines{}, r: 0, band: decision.Inactive, reason: decision.AbsentAtZero, desired: 0},
		{name: "woken by query", policy: func(p *decision.Policy) { p.HasWake = true }, window: lines{zmy.Wake: "1"}, r: 0, band: decision.ScaleUp, reason: decision.WokenByQuery, desired: 1},
		{name: "woken to the minimum", policy: func(p *decision.Policy) { p.HasWake = true }, window: lines{zmy.Wake: "0.1"}, r: 0, fleet: bounds(3, 9), band: decision.ScaleUp, reason: decision.WokenByQuery, desired: 3},
		{name: "wake at zero does not", policy: func(p *decision.Policy) { p.HasWake = true }, window: lines{zmy.Wake: "0"}, r: 0, band: decision.Inactive, reason: decision.AbsentAtZero, desired: 0},
		{name: "partial wake does not", policy: func(p *decision.Policy) { p.HasWake = true }, window: lines{zmy.Wake: "~1"}, r: 0, band: decision.Inactive, reason: decision.AbsentAtZero, desired: 0},
		{name: "woken by the yield of a service that still runs", window: lines{zmy.Yield: "0.94"}, r: 0, band: decision.ScaleUp, reason: decision.WokenByYield, desired: 1},
		{name: "a yield at inactiveThreshold does not wake", window: lines{zmy.Yield: "0.95"}, r: 0, band: decision.Inactive, reason: decision.AbsentAtZero, desired: 0},
		{name: "a partial yield does not wake", window: lines{zmy.Yield: "~0.1"}, r: 0, band: decision.Inactive, reason: decision.AbsentAtZero, desired: 0},
		{name: "a stale yield does not wake", window: lines{zmy.Yield: "0.1 _x5"}, r: 0, band: decision.Inactive, reason: decision.AbsentAtZero, desired: 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := policy(t, tt.policy)
			f := fleet(tt.r)
			if tt.fleet != nil {
				tt.fleet(&f)
			}
			d := decide(p, window(t, p, tt.window), f)
			if d.Band != tt.band || d.Reason != tt.reason || d.Desired != tt.desired {
				t.Errorf("got %v, %v, %d replicas; want %v, %v, %d\nevidence: %+v",
					d.Band, d.Reason, d.Desired, tt.band, tt.reason, tt.desired, d.Evidence)
			}
		})
	}
}

func TestDecideReplicasUnknown(t *testing.T) {
	t.Parallel()
	p := policy(t, nil)
	d := decide(p, window(t, p, lines{zmy.Yield: "0.97x50", zmy.Workers: "5x50"}), decision.Fleet{})
	if d.Band != decision.Hold || d.Reason != decision.ReplicasUnknown {
		t.Errorf("got %v, %v; want hold, replicas unknown", d.Band, d.Reason)
	}
}

func TestRemaining(t *testing.T) {
	t.Parallel()
	p := policy(t, nil)
	d := decide(p, window(t, p, lines{zmy.Yield: "0.5 0.97x11", zmy.Workers: "5x50"}), fleet(5))
	if got, want := d.Remaining(), 150*time.Second; got != want {
		t.Errorf("remaining %v, want %v", got, want)
	}
	d = decide(p, window(t, p, lines{zmy.Yield: "0.5x20", zmy.Workers: "5x50"}), fleet(5))
	if got := d.Remaining(); got != 0 {
		t.Errorf("remaining %v in the hold band, want 0", got)
	}
}
