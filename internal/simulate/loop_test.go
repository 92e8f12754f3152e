package simulate

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// epoch lies on the grid.
var epoch = time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)

func grid(t testing.TB) zmy.Grid {
	t.Helper()
	g, err := zmy.NewGrid(15 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// policy returns the documented defaults with a raw yield, changed by edit.
func policy(t testing.TB, edit func(*decision.Policy)) decision.Policy {
	t.Helper()
	p := decision.Policy{
		Grid: grid(t), Up: 0.3, Down: 0.9, Inactive: 0.95, DownDelay: 300 * time.Second,
		Target: 0.3, TargetMilli: 30000, CPUTarget: 0.7, CPUWeight: 0.5,
		Lookback: 15 * time.Second, MaxStaleness: time.Minute, HoldFor: 10 * time.Minute,
	}
	if edit != nil {
		edit(&p)
	}
	return p
}

// law is the scaler with a policy.
func law(p decision.Policy) *Law {
	return NewLaw(&trigger.Trigger{Policy: p}, decision.Value, epoch)
}

// minutes is a demand of one number a minute.
func minutes(busy ...float64) Demand {
	return Demand{Start: epoch, Step: time.Minute, Busy: busy}
}

func repeat(n int, busy float64) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = busy
	}
	return all
}

// loop is a fleet of 4 under a behavior that shrinks at once.
func loop(t testing.TB, d Demand, edit func(*Loop)) Loop {
	t.Helper()
	b := manifest.DefaultBehavior()
	b.Given, b.Down.Window = true, 0
	l := Loop{
		Demand: d, StartDelay: 40 * time.Second, Replicas: 4, Min: 1, Max: 100, Behavior: b,
		Polling: 30 * time.Second, Cooldown: 5 * time.Minute, Grid: grid(t), QueryOffset: 5 * time.Second,
	}
	if edit != nil {
		edit(&l)
	}
	return l
}

// record keeps all that a run shows.
type record struct {
	moments []Moment
	changes []Change
}

func (r *record) Tick(m Moment)   { r.moments = append(r.moments, m) }
func (r *record) Change(c Change) { r.changes = append(r.changes, c) }

// sizes are the changes as a person reads them.
func (r *record) sizes() []string {
	var all []string
	for _, c := range r.changes {
		all = append(all, c.At.Sub(epoch).String()+" "+string(c.By)+" "+c.Reason.String()+" "+itoa(c.From)+"→"+itoa(c.To))
	}
	return all
}

func itoa(n int) string { return string(rune('0'+n/10)) + string(rune('0'+n%10)) }

func run1(t testing.TB, l Loop, c Controller) (Result, *record) {
	t.Helper()
	w := &record{}
	r, err := Run(t.Context(), l, c, w)
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

// TestTimeline follows fleets second by second: the sample at a tick is decided
// on 5 s later, and the HPA looks 5 s after that.
func TestTimeline(t *testing.T) {
	t.Parallel()
	burst := append(append(repeat(2, 1), repeat(4, 3.2)...), repeat(12, 0.2)...)
	tests := []struct {
		name   string
		demand []float64
		edit   func(*Loop)
		policy func(*decision.Policy)
		want   []string
	}{
		{name: "steady", demand: repeat(30, 2)},
		{name: "up at the next sample, down after the delay", demand: burst, want: []string{
			// 3.2 busy of 4 are a load of 0.8: 3.2 / 0.3 rounded up, of which
			// the HPA allows 4 pods or twice as many in 15 s.
			"2m25s HPA saturated 04→08", "2m40s HPA saturated 08→11",
			// From 6m on the load is 0.2 / 11; 300 s later the fleet falls to 1.
			"11m25s HPA nothing_to_do 11→01",
		}},
		{
			name: "to zero and back", demand: append(append(repeat(1, 1), repeat(15, 0)...), repeat(1, 1)...), edit: func(l *Loop) { l.Min = 0 },
			policy: func(p *decision.Policy) { p.HasWake = true }, want: []string{
				"6m25s HPA nothing_to_do 04→01",
				// Active until the poll at 5m55s, and 5 minutes of cooldown more.
				"10m55s KEDA nothing_to_do 01→00",
				// Work waits from 16m on; it is seen at 16m15s and told at the poll.
				"16m25s KEDA woken_by_query 00→01",
			},
		},
		{
			name: "a push wakes without a poll", demand: append(append(repeat(1, 1), repeat(15, 0)...), repeat(1, 1)...), edit: func(l *Loop) { l.Min, l.Push = 0, true },
			policy: func(p *decision.Policy) { p.HasWake = true }, want: []string{
				// A push says so every 30 s, the last time at 5m50s: the poll at 5m55s
				// counts.
				"6m25s HPA nothing_to_do 04→01", "10m55s KEDA nothing_to_do 01→00", "16m20s KEDA woken_by_query 00→01",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := loop(t, minutes(tt.demand...), tt.edit)
			_, w := run1(t, l, law(policy(t, tt.policy)))
			if d := cmp.Diff(tt.want, w.sizes()); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
		})
	}
}

// TestWorkIsConserved: what a fleet that is too small cannot do is done later,
// and counts as saturation until then.
func TestWorkIsConserved(t *testing.T) {
	t.Parallel()
	// 6 busy workers for 2 minutes on a fleet that stays at 4, then 2 for 10:
	// 240 worker-seconds wait, and 2 idle workers take 2 minutes for them.
	l := loop(t, minutes(append(repeat(2, 6), repeat(10, 2)...)...), func(l *Loop) { l.Min, l.Max = 4, 4 })
	r, w := run1(t, l, law(policy(t, nil)))
	if r.SaturatedMinutes < 3.9 || r.SaturatedMinutes > 4.1 {
		t.Errorf("saturated for %v minutes, want 4", r.SaturatedMinutes)
	}
	if want := float64(6*2+2*10) / (4 * 12); math.Abs(r.MeanUtilization-want) > 1e-9 {
		t.Errorf("utilization %v, want %v", r.MeanUtilization, want)
	}
	if want := 4 * 0.2; math.Abs(r.ReplicaHours-want) > 1e-9 || r.Changes != 0 || r.PeakReplicas != 4 {
		t.Errorf("%+v, want %v replica-hours and no change", r, want)
	}
	most := 0.0
	for _, m := range w.moments {
		most = max(most, m.Waiting)
	}
	if most < 200 || most > 240 {
		t.Errorf("at most %v worker-seconds waited, want nearly 240", most)
	}
}

// TestEveryStepCounts: all work arrives, however its steps lie between the turns.
func TestEveryStepCounts(t *testing.T) {
	t.Parallel()
	for _, step := range []time.Duration{100 * time.Millisecond, time.Second, 7 * time.Second, 15 * time.Second, 50 * time.Second} {
		t.Run(step.String(), func(t *testing.T) {
			t.Parallel()
			d := Demand{Start: epoch.Add(3 * time.Second), Step: step}
			rng, sum := rand.New(rand.NewPCG(1, uint64(step))), 0.0
			for range 20 * time.Minute / step {
				d.Busy = append(d.Busy, 90*rng.Float64())
				sum += d.Busy[len(d.Busy)-1]
			}
			r, _ := run1(t, loop(t, d, func(l *Loop) { l.Min, l.Max, l.Replicas = 100, 100, 100 }), law(policy(t, nil)))
			if want := sum / float64(len(d.Busy)) / 100; math.Abs(r.MeanUtilization-want) > 1e-9 {
				t.Errorf("utilization %v, want %v", r.MeanUtilization, want)
			}
		})
	}
}

// TestStartDelay: a worker that was asked for works after the delay, not before.
func TestStartDelay(t *testing.T) {
	t.Parallel()
	l := loop(t, minutes(repeat(6, 3.2)...), func(l *Loop) { l.StartDelay = 100 * time.Second })
	_, w := run1(t, l, law(policy(t, nil)))
	for _, m := range w.moments {
		want := 4
		switch since := m.At.Sub(epoch); {
		case since >= 140*time.Second:
			want = 11
		case since >= 125*time.Second:
			want = 8
		}
		if m.Ready != want {
			t.Errorf("%v: %d ready, want %d of %d", m.At.Sub(epoch), m.Ready, want, m.Spec)
		}
	}
}

// TestPlain: KEDA's trigger follows the load, up and down.
func TestPlain(t *testing.T) {
	t.Parallel()
	l := loop(t, minutes(append(repeat(3, 1.2), append(repeat(3, 1.8), repeat(3, 0)...)...)...), nil)
	_, w := run1(t, l, NewPlain(l.Grid, 15*time.Second, 30000, false))
	want := []string{
		"3m25s HPA unknown 04→06",
		// At 4m10s all 6 are ready, and the newest sample is still one of 4.
		"4m10s HPA unknown 06→09", "5m10s HPA unknown 09→06",
		"6m25s HPA unknown 06→01",
	}
	if d := cmp.Diff(want, w.sizes()); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	if got := w.moments[3].Yield; math.Abs(got.Value-0.7) > 1e-9 {
		t.Errorf("the yield at 1m is %+v, want 0.7", got)
	}
	l.Min = 0
	_, asleep := run1(t, loop(t, minutes(append(repeat(10, 0), repeat(2, 1)...)...), func(l *Loop) { l.Min = 0 }), NewPlain(l.Grid, time.Minute, 30000, true))
	if d := cmp.Diff([]string{"25s HPA unknown 04→01", "5m25s KEDA unknown 01→00", "10m25s KEDA unknown 00→01", "11m25s HPA unknown 01→04"}, asleep.sizes()); d != "" {
		t.Errorf("to zero and back (-want +got):\n%s", d)
	}
}

// TestPlainIsPolled: KEDA hears nothing from Prometheus between two polls, whatever
// the ScaledObject's own trigger is.
func TestPlainIsPolled(t *testing.T) {
	t.Parallel()
	demand := minutes(append(repeat(10, 0), repeat(3, 1)...)...)
	for _, push := range []bool{false, true} {
		l := loop(t, demand, func(l *Loop) { l.Min, l.Push, l.Polling = 0, push, 3*time.Minute })
		_, w := run1(t, l, NewPlain(l.Grid, time.Minute, 30000, true))
		want := []string{"25s HPA unknown 04→01", "6m25s KEDA unknown 01→00", "12m25s KEDA unknown 00→01"}
		if d := cmp.Diff(want, w.sizes()[:min(3, len(w.sizes()))]); d != "" {
			t.Errorf("push %v (-want +got):\n%s", push, d)
		}
	}
}

// TestLookback: a yield is the mean of its lookback.
func TestLookback(t *testing.T) {
	t.Parallel()
	l := loop(t, minutes(append(repeat(3, 0), repeat(3, 2)...)...), func(l *Loop) { l.Min, l.Max = 4, 4 })
	_, w := run1(t, l, law(policy(t, func(p *decision.Policy) { p.Lookback = time.Minute })))
	// A sample shows the seconds before it: that of 3m15s is the first of the new load.
	for i, want := range map[int]float64{11: 1, 12: 0.875, 13: 0.75, 15: 0.5, 19: 0.5} {
		if got := w.moments[i].Yield.Value; math.Abs(got-want) > 1e-9 {
			t.Errorf("tick %d: %v, want %v", i, got, want)
		}
	}
}

// TestRecorded: what was measured besides the demand takes part in decisions.
func TestRecorded(t *testing.T) {
	t.Parallel()
	g := grid(t)
	samples := func(v float64) []zmy.Sample {
		all := make([]zmy.Sample, 200)
		for i := range all {
			all[i] = zmy.Amount.Sample(v)
		}
		return all
	}
	tests := []struct {
		name     string
		demand   []float64
		recorded Recorded
		policy   func(*decision.Policy)
		want     []string
	}{
		{name: "a guard above 0 keeps the fleet", demand: repeat(12, 0.1), recorded: Recorded{Guard: samples(1)}, policy: func(p *decision.Policy) { p.HasGuard = true }},
		{
			name: "a guard of 0 lets it go", demand: repeat(7, 0.1), recorded: Recorded{Guard: samples(0)}, policy: func(p *decision.Policy) { p.HasGuard = true },
			want: []string{"5m25s HPA nothing_to_do 04→01"},
		},
		{name: "no guard where there should be one", demand: repeat(12, 0.1), policy: func(p *decision.Policy) { p.HasGuard = true }},
		{
			// 8 workers at 0.7 recorded are 4 at 1.4: the pressure is 1.4 / 0.7
			// and 0.8 / 0.3, half each.
			name: "the CPU is shared by those that are there", demand: repeat(1, 3.2), recorded: Recorded{CPU: samples(0.7), Workers: samples(8)},
			policy: func(p *decision.Policy) { p.HasCPU = true }, want: []string{"25s HPA saturated 04→08", "40s HPA saturated 08→10"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.recorded.First = g.At(epoch)
			l := loop(t, minutes(tt.demand...), func(l *Loop) { l.Recorded = &tt.recorded })
			_, w := run1(t, l, law(policy(t, tt.policy)))
			if d := cmp.Diff(tt.want, w.sizes()); d != "" {
				t.Errorf("changes (-want +got):\n%s", d)
			}
		})
	}
}

func TestNoDemand(t *testing.T) {
	t.Parallel()
	for _, d := range []Demand{{}, {Start: epoch, Step: time.Minute}, {Start: epoch, Busy: []float64{1}}} {
		if _, err := Run(t.Context(), loop(t, d, nil), NewPlain(grid(t), 0, 30000, false), nil); !errors.Is(err, ErrNoDemand) {
			t.Errorf("%+v: %v", d, err)
		}
	}
	if _, err := Run(t.Context(), loop(t, minutes(1), func(l *Loop) { l.Replicas = -1 }), NewPlain(grid(t), 0, 30000, false), nil); err == nil {
		t.Error("a fleet of -1 runs")
	}
}

// TestCancelled: a run ends with its context, in the middle as at the start.
func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w := &stopper{cancel: cancel}
	l := loop(t, minutes(repeat(7*24*60, 1)...), nil)
	if _, err := Run(ctx, l, law(policy(t, nil)), w); !errors.Is(err, context.Canceled) || w.ticks > 100+turnsBetween {
		t.Errorf("%v after %d decisions", err, w.ticks)
	}
	if _, err := Run(ctx, l, law(policy(t, nil)), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a second run: %v", err)
	}
}

// stopper cancels a run after some decisions.
type stopper struct {
	record

	cancel func()
	ticks  int
}

func (s *stopper) Tick(Moment) {
	if s.ticks++; s.ticks == 100 {
		s.cancel()
	}
}

func TestHalves(t *testing.T) {
	t.Parallel()
	first, second := minutes(1, 2, 3, 4, 5).Halves()
	if d := cmp.Diff([]Demand{minutes(1, 2), {Start: epoch.Add(2 * time.Minute), Step: time.Minute, Busy: []float64{3, 4, 5}}}, []Demand{first, second}); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if !first.End().Equal(second.Start) {
		t.Errorf("the first half ends at %v, the second starts at %v", first.End(), second.Start)
	}
}

func TestReversals(t *testing.T) {
	t.Parallel()
	var c tally
	for _, s := range []struct {
		at       time.Duration
		from, to int
		want     int
	}{
		{0, 4, 8, 0},
		{time.Minute, 8, 9, 0},                  // the same direction
		{31 * time.Minute, 9, 5, 1},             // exactly 30 minutes later
		{32 * time.Minute, 5, 4, 1},             // the same direction
		{62*time.Minute + 1, 4, 5, 1},           // too late
		{62*time.Minute + time.Minute, 5, 4, 2}, // against the one before
	} {
		if c.changed(s.at, s.from, s.to); c.sum.Reversals != s.want {
			t.Errorf("%v: %d reversals, want %d", s.at, c.sum.Reversals, s.want)
		}
	}
	if c.sum.Changes != 6 || c.sum.PeakReplicas != 9 {
		t.Errorf("%+v", c.sum)
	}
}
