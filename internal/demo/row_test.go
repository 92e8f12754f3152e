package demo

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/fleet"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// status is a status of the payment trigger with a yield of 0.5 now.
var epoch = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

func status(edit func(*engine.Status)) *engine.Status {
	s := &engine.Status{Namespace: namespace, Name: "payment"}
	s.Trigger = &trigger.Trigger{MetricName: "zmy", Policy: decision.Policy{Up: 0.3, Down: 0.9, Inactive: 0.95, MaxStaleness: time.Minute}}
	s.Decision.Yield = decision.Reading{Value: 0.5, At: epoch, OK: true}
	s.Decision.Reason = decision.Steady
	s.Told = decision.Told{Active: true, Reason: decision.Steady, Replicas: 4}
	if edit != nil {
		edit(s)
	}
	return s
}

func TestNewRow(t *testing.T) {
	t.Parallel()
	p := plan{poll: epoch.Add(20 * time.Second), sync: epoch.Add(7 * time.Second), sleep: epoch.Add(75 * time.Second)}
	tests := []struct {
		name     string
		min      int
		push     bool
		replicas int
		grow     int
		status   *engine.Status
		want     row
	}{
		{
			name: "not asked yet", replicas: 4,
			want: row{band: "-", reason: "not asked yet", next: "the first call", spec: 4, ready: 4, desired: 4},
		},
		{
			name: "steady", replicas: 4, status: status(nil),
			want: row{yield: 0.5, known: true, band: "hold", reason: decision.Steady.Text(), next: "HPA sync in 7s", spec: 4, ready: 4, desired: 4},
		},
		{
			name: "no answer", replicas: 4, status: status(func(s *engine.Status) { s.Err = errors.New("unavailable") }),
			want: row{band: "-", reason: "unavailable", next: "the next evaluation", spec: 4, ready: 4, desired: 4},
		},
		{
			name: "no data", replicas: 4, status: status(func(s *engine.Status) {
				s.Age, s.Told = time.Hour, decision.Told{NoValue: true, Reason: decision.NoDataTooLong}
			}),
			want: row{yield: 0.5, band: "hold", reason: decision.NoDataTooLong.Text(), next: "no answer until there is data", spec: 4, ready: 4, desired: 4},
		},
		{
			name: "scale-up", replicas: 4, status: status(func(s *engine.Status) {
				s.Told = decision.Told{Active: true, Band: decision.ScaleUp, Reason: decision.Saturated, Replicas: 9}
			}),
			want: row{yield: 0.5, known: true, band: "scale_up", reason: decision.Saturated.Text(), next: "HPA sync in 7s, to 9", spec: 4, ready: 4, desired: 9},
		},
		{
			name: "workers starting", replicas: 4, grow: 6, status: status(func(s *engine.Status) { s.Told.Replicas = 6 }),
			want: row{yield: 0.5, known: true, band: "hold", reason: decision.Steady.Text(), next: "a worker ready in 40s", spec: 6, ready: 4, desired: 6},
		},
		{
			name: "idle for a while", replicas: 4, status: status(func(s *engine.Status) {
				s.Decision.Reason, s.Told.Reason = decision.IdlePending, decision.IdlePending
				s.Decision.Since, s.Decision.Delay = epoch.Add(-165*time.Second), 5*time.Minute
			}),
			want: row{yield: 0.5, known: true, band: "hold", reason: decision.IdlePending.Text(), next: "scale-down in 2m15s", spec: 4, ready: 4, desired: 4},
		},
		{
			name: "saturated for a while", replicas: 4, status: status(func(s *engine.Status) {
				s.Decision.Reason, s.Told.Reason = decision.SaturatedPending, decision.SaturatedPending
				s.Decision.Since, s.Decision.Delay = epoch.Add(-time.Minute), 2*time.Minute
			}),
			want: row{yield: 0.5, known: true, band: "hold", reason: decision.SaturatedPending.Text(), next: "scale-up in 1m", spec: 4, ready: 4, desired: 4},
		},
		{
			name: "guarded", replicas: 4, status: status(func(s *engine.Status) {
				s.Decision.Reason, s.Told.Reason = decision.GuardAbove, decision.GuardAbove
			}),
			want: row{yield: 0.5, known: true, band: "hold", reason: decision.GuardAbove.Text(), next: "when the guard is 0", spec: 4, ready: 4, desired: 4},
		},
		{
			name: "inactive", replicas: 1, status: status(func(s *engine.Status) {
				s.Told = decision.Told{Band: decision.Inactive, Reason: decision.NothingToDo, Replicas: 1}
			}),
			want: row{yield: 0.5, known: true, band: "inactive", reason: decision.NothingToDo.Text(), next: "cooldown 1m15s", spec: 1, ready: 1, desired: 1},
		},
		{
			name: "asleep", status: status(func(s *engine.Status) {
				s.Told = decision.Told{Band: decision.Inactive, Reason: decision.AbsentAtZero}
			}),
			want: row{yield: 0.5, known: true, band: "inactive", reason: decision.AbsentAtZero.Text(), next: "asleep until woken"},
		},
		{
			name: "woken by a push", push: true, status: status(func(s *engine.Status) {
				s.Told = decision.Told{Active: true, Band: decision.ScaleUp, Reason: decision.WokenByQuery}
			}),
			want: row{yield: 0.5, known: true, band: "woken", reason: decision.WokenByQuery.Text(), next: "the push wakes it", desired: 1},
		},
		{
			name: "woken at a poll", min: 2, status: status(func(s *engine.Status) {
				s.Told = decision.Told{Active: true, Band: decision.ScaleUp, Reason: decision.WokenByYield}
			}),
			want: row{yield: 0.5, known: true, band: "woken", reason: decision.WokenByYield.Text(), next: "KEDA's poll in 20s", desired: 2},
		},
		{
			name: "shadow", replicas: 4, status: status(func(s *engine.Status) {
				s.Trigger.Policy.Shadow = true
				s.Decision.Desired, s.Decision.Reason = 2, decision.Idle
				s.Told = decision.Told{Band: decision.ScaleDown, Reason: decision.ShadowLowest}
			}),
			want: row{yield: 0.5, known: true, band: "scale_down", reason: decision.Idle.Text(), next: "nothing: it only watches", spec: 4, ready: 4, desired: 2, shadow: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			load := payment()
			load.min, load.push = tt.min, tt.push
			load.fleet.Start, load.fleet.Replicas = epoch, tt.replicas
			f, err := fleet.New(load.fleet)
			if err != nil {
				t.Fatal(err)
			}
			if tt.grow > 0 {
				f.SetReplicas(tt.grow)
			}
			tt.want.name, tt.want.about = load.name, load.about
			if tt.status != nil {
				tt.want.up, tt.want.down, tt.want.inactive = 0.3, 0.9, 0.95
			}
			got := newRow(&member{workload: load, fleet: f}, 0, tt.status, p, epoch)
			if d := cmp.Diff(tt.want, got, cmp.AllowUnexported(row{})); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestBrief(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 0: "0s", 1400 * time.Millisecond: "1s", time.Minute: "1m",
		10 * time.Minute: "10m", 135 * time.Second: "2m15s", time.Hour: "1h0m",
	} {
		if got := brief(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	tests := []struct {
		from, to int
		want     Event
		changed  bool
	}{
		{from: 3, to: 3, want: Hold},
		{from: 0, to: 1, want: Woken, changed: true},
		{from: 3, to: 0, want: Inactive, changed: true},
		{from: 3, to: 4, want: ScaleUp, changed: true},
		{from: 3, to: 1, want: ScaleDown, changed: true},
	}
	for _, tt := range tests {
		if e, changed := event(tt.from, tt.to); e != tt.want || changed != tt.changed {
			t.Errorf("from %d to %d is %v, %v; want %v, %v", tt.from, tt.to, e, changed, tt.want, tt.changed)
		}
	}
	words := map[string]bool{}
	for _, e := range Events() {
		words[e.String()] = true
	}
	if len(words) != int(numEvents) || words[numEvents.String()] {
		t.Errorf("events have the words %v", words)
	}
}
