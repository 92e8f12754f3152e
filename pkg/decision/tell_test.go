package decision_test

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

func TestTell(t *testing.T) {
	t.Parallel()
	idle := lines{zmy.Yield: "0.97x50", zmy.Workers: "10x50"}
	busy := lines{zmy.Yield: "0.2x50", zmy.Workers: "10x50"}
	steady := lines{zmy.Yield: "0.5x50", zmy.Workers: "10x50"}
	wake := func(p *decision.Policy) { p.HasWake = true }

	type want struct {
		value            int64
		noValue, noState bool
		active           bool
		replicas         int
		reason           decision.Reason
	}
	tests := []struct {
		name   string
		policy func(*decision.Policy)
		window lines
		r      int
		metric decision.MetricType
		late   time.Duration
		live   func(*decision.Live)
		want   want
	}{
		// The three bands under both metric types.
		{name: "hold, Value", window: steady, r: 10, metric: decision.Value, want: want{value: 30000, active: true, replicas: 10, reason: decision.Steady}},
		{name: "hold, AverageValue", window: steady, r: 10, want: want{value: 300000, active: true, replicas: 10, reason: decision.Steady}},
		{name: "up, Value", window: busy, r: 10, metric: decision.Value, want: want{value: 81000, active: true, replicas: 27, reason: decision.Saturated}},
		{name: "up, AverageValue", window: busy, r: 10, want: want{value: 810000, active: true, replicas: 27, reason: decision.Saturated}},
		{name: "inactive, Value", window: idle, r: 10, metric: decision.Value, want: want{value: 3000, replicas: 1, reason: decision.NothingToDo}},
		{name: "inactive, AverageValue", window: idle, r: 10, want: want{value: 30000, replicas: 1, reason: decision.NothingToDo}},

		// After the HPA has acted, or somebody else.
		{
			name: "the HPA has acted: the target", window: busy, r: 10, metric: decision.Value,
			live: func(l *decision.Live) { l.Spec.N, l.Status.N, l.Ready.N = 27, 27, 12 },
			want: want{value: 30000, active: true, replicas: 27, reason: decision.Saturated},
		},
		{
			name: "somebody scaled further up: no way back", window: busy, r: 10, metric: decision.Value,
			live: func(l *decision.Live) { l.Spec.N, l.Ready.N = 40, 40 },
			want: want{value: 30000, active: true, replicas: 40, reason: decision.Saturated},
		},
		{
			name: "somebody scaled further down: no way back", window: lines{zmy.Yield: "0.93x50", zmy.Workers: "40x50"}, r: 40, metric: decision.Value,
			live: func(l *decision.Live) { l.Spec.N, l.Ready.N = 3, 3 },
			want: want{value: 30000, active: true, replicas: 3, reason: decision.Idle},
		},
		{
			name: "hold follows the live count", window: steady, r: 10,
			live: func(l *decision.Live) { l.Spec.N = 12 },
			want: want{value: 360000, active: true, replicas: 12, reason: decision.Steady},
		},
		{
			name: "no ready pod, Value: the target", window: busy, r: 10, metric: decision.Value,
			live: func(l *decision.Live) { l.Ready.N = 0 },
			want: want{value: 30000, active: true, replicas: 10, reason: decision.Saturated},
		},
		{
			name: "ready pods unknown, Value: the target", window: busy, r: 10, metric: decision.Value,
			live: func(l *decision.Live) { l.Ready = decision.Count{} },
			want: want{value: 30000, active: true, replicas: 10, reason: decision.Saturated},
		},

		// Replicas unknown.
		{
			name: "replicas unknown, Value: the target, active", window: idle, r: 10, metric: decision.Value,
			live: func(l *decision.Live) { l.Spec = decision.Count{} },
			want: want{value: 30000, active: true, reason: decision.ReplicasUnknown},
		},
		{
			name: "replicas unknown, AverageValue: nothing can be said", window: idle, r: 10,
			live: func(l *decision.Live) { l.Spec = decision.Count{} },
			want: want{noValue: true, noState: true, active: true, reason: decision.ReplicasUnknown},
		},
		{
			name: "replicas unknown, AverageValue: a wake can", policy: wake, window: lines{zmy.Yield: "0.97x50", zmy.Wake: "3"}, r: 10,
			live: func(l *decision.Live) { l.Spec = decision.Count{} },
			want: want{noValue: true, active: true, reason: decision.ReplicasUnknown},
		},

		// Staleness is measured when answering.
		{name: "a minute later: still decided", window: idle, r: 10, late: time.Minute, want: want{value: 30000, replicas: 1, reason: decision.NothingToDo}},
		{name: "later than that: hold", window: idle, r: 10, late: 61 * time.Second, want: want{value: 300000, active: true, replicas: 10, reason: decision.StaleData}},
		{name: "ten minutes: hold", window: idle, r: 10, late: 10 * time.Minute, want: want{value: 300000, active: true, replicas: 10, reason: decision.StaleData}},
		{name: "longer: unavailable", window: idle, r: 10, late: 10*time.Minute + time.Second, want: want{noValue: true, noState: true, reason: decision.NoDataTooLong}},
		{
			name: "onNoData error: at once", policy: func(p *decision.Policy) { p.ErrorOnNoData = true }, window: idle, r: 10, late: 61 * time.Second,
			want: want{noValue: true, noState: true, reason: decision.NoDataTooLong},
		},
		{
			name: "onNoData error from the start", policy: func(p *decision.Policy) { p.ErrorOnNoData = true }, r: 10,
			want: want{noValue: true, noState: true, reason: decision.NoDataTooLong},
		},
		{
			name: "onNoData error just after zero: not yet", policy: func(p *decision.Policy) { p.ErrorOnNoData = true }, r: 1,
			live: func(l *decision.Live) { l.AtZero = now.Add(-time.Minute) },
			want: want{value: 30000, active: true, replicas: 1, reason: decision.NoData},
		},
		{name: "no data from the start: hold, Value", r: 10, metric: decision.Value, late: 9 * time.Minute, want: want{value: 30000, active: true, replicas: 10, reason: decision.NoData}},
		{name: "no data from the start: hold, AverageValue", r: 10, late: 9 * time.Minute, want: want{value: 300000, active: true, replicas: 10, reason: decision.NoData}},
		{name: "no data for longer than holdFor", r: 10, late: 11 * time.Minute, want: want{noValue: true, noState: true, reason: decision.NoDataTooLong}},
		{
			name: "the clock starts again at zero replicas", r: 1, late: 11 * time.Minute,
			live: func(l *decision.Live) { l.AtZero = now.Add(2 * time.Minute) },
			want: want{value: 30000, active: true, replicas: 1, reason: decision.FirstYieldPending},
		},
		{
			name: "a yield from before zero is not stale data", window: lines{zmy.Yield: "0.97 _x9"}, r: 1,
			live: func(l *decision.Live) { l.AtZero = now.Add(-time.Minute) },
			want: want{value: 30000, active: true, replicas: 1, reason: decision.FirstYieldPending},
		},
		{name: "bad data: hold", window: lines{zmy.Yield: "nanx50"}, r: 10, want: want{value: 300000, active: true, replicas: 10, reason: decision.BadData}},
		{
			name: "no data, replicas unknown, Value: the target", r: 10, metric: decision.Value,
			live: func(l *decision.Live) { l.Spec = decision.Count{} },
			want: want{value: 30000, active: true, reason: decision.NoData},
		},

		// Wake, landing, zero.
		{name: "wake keeps an inactive fleet active", policy: wake, window: lines{zmy.Yield: "0.97x50", zmy.Workers: "10x50", zmy.Wake: "1"}, r: 10, want: want{value: 30000, active: true, replicas: 1, reason: decision.NothingToDo}},
		{name: "wake missing is ignored above zero", policy: wake, window: lines{zmy.Yield: "0.97x50", zmy.Workers: "10x50", zmy.Wake: "_"}, r: 10, want: want{value: 30000, replicas: 1, reason: decision.NothingToDo}},
		{
			name: "landing: active until one", policy: func(p *decision.Policy) { p.GracefulLanding = true }, window: idle, r: 10,
			want: want{value: 30000, active: true, replicas: 1, reason: decision.Landing},
		},
		{
			name: "landed: inactive", policy: func(p *decision.Policy) { p.GracefulLanding = true }, window: lines{zmy.Yield: "0.97x50", zmy.Workers: "1x50"}, r: 1,
			want: want{value: 30000, replicas: 1, reason: decision.NothingToDo},
		},
		{name: "zero: inactive", r: 0, metric: decision.Value, want: want{value: 30000, reason: decision.AbsentAtZero}},
		{name: "zero: never an error", r: 0, late: time.Hour, want: want{reason: decision.AbsentAtZero}},
		{name: "zero: woken", policy: wake, window: lines{zmy.Wake: "1"}, r: 0, want: want{value: 30000, active: true, replicas: 1, reason: decision.WokenByQuery}},
		{name: "zero: the last wake answer is kept", policy: wake, window: lines{zmy.Wake: "1 _x4"}, r: 0, want: want{value: 30000, active: true, replicas: 1, reason: decision.WokenByQuery}},
		{name: "zero: then it is inactive", policy: wake, window: lines{zmy.Wake: "1 _x4"}, r: 0, late: 15 * time.Second, want: want{reason: decision.AbsentAtZero}},
		{
			name: "zero replicas in a stale sample: the last answer is kept", policy: wake, window: lines{zmy.Wake: "1"}, r: 0, late: 5 * time.Minute,
			live: func(l *decision.Live) { l.SpecAt = now },
			want: want{value: 30000, active: true, replicas: 1, reason: decision.WokenByQuery},
		},
		{name: "zero: woken by the yield", window: lines{zmy.Yield: "0.5"}, r: 0, metric: decision.Value, want: want{value: 30000, active: true, reason: decision.WokenByYield}},
		{
			name: "went to zero since the decision", window: steady, r: 10, metric: decision.Value,
			live: func(l *decision.Live) { l.Spec.N = 0 },
			want: want{value: 30000, active: true, reason: decision.WokenByYield},
		},

		// Shadow.
		{name: "shadow alone: hold, active", policy: func(p *decision.Policy) { p.Shadow = true }, window: idle, r: 10, want: want{value: 300000, active: true, replicas: 10, reason: decision.ShadowHold}},
		{name: "shadow alone never errs", policy: func(p *decision.Policy) { p.Shadow = true }, r: 10, late: time.Hour, metric: decision.Value, want: want{value: 30000, active: true, replicas: 10, reason: decision.ShadowHold}},
		{name: "shadow alone at zero: inactive", policy: func(p *decision.Policy) { p.Shadow, p.HasWake = true, true }, window: lines{zmy.Wake: "1"}, r: 0, metric: decision.Value, want: want{value: 30000, reason: decision.ShadowHold}},
		{
			name: "shadow beside others: lowest, inactive", policy: func(p *decision.Policy) { p.Shadow = true }, window: busy, r: 10,
			live: func(l *decision.Live) { l.Accompanied = true },
			want: want{reason: decision.ShadowLowest},
		},
		{
			name: "shadow, replicas unknown, Value: the target", policy: func(p *decision.Policy) { p.Shadow = true }, window: busy, r: 10, metric: decision.Value,
			live: func(l *decision.Live) { l.Spec = decision.Count{} },
			want: want{value: 30000, active: true, reason: decision.ShadowHold},
		},

		// Without Kubernetes, the count is a sample as old as the data.
		{
			name: "a stale count does not undo a scale-up", window: lines{zmy.Yield: "0.2x40 ?x10", zmy.Workers: "10x40 ?x10"}, r: 10,
			live: func(l *decision.Live) { l.SpecAt = now.Add(-150 * time.Second) },
			want: want{value: 810000, active: true, replicas: 27, reason: decision.StaleData},
		},
		{
			name: "and never repeats a scale-down", window: lines{zmy.Yield: "0.97x40 ?x10", zmy.Workers: "10x40 ?x10"}, r: 10,
			live: func(l *decision.Live) { l.SpecAt = now.Add(-150 * time.Second) },
			want: want{value: 300000, active: true, replicas: 10, reason: decision.StaleData},
		},
		{
			name: "a fresh count is held as it is", window: lines{zmy.Yield: "0.2x40 _x10", zmy.Workers: "10x50"}, r: 10,
			live: func(l *decision.Live) { l.SpecAt = now },
			want: want{value: 300000, active: true, replicas: 10, reason: decision.StaleData},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := policy(t, tt.policy)
			l := live(fleet(tt.r), tt.metric, tt.late)
			var specAt time.Time
			if tt.live != nil {
				probe := l
				tt.live(&probe)
				specAt = probe.SpecAt
			}
			f := fleet(tt.r)
			f.SpecAt = specAt
			d := decide(p, window(t, p, tt.window), f)
			if tt.live != nil {
				tt.live(&l)
			}
			told := decision.Tell(p, &d, l)
			got := want{told.Value, told.NoValue, told.NoActivity, told.Active, told.Replicas, told.Reason}
			if got != tt.want {
				t.Errorf("got %+v (%v), want %+v (%v)\ndecision: %+v", got, got.reason, tt.want, tt.want.reason, d)
			}
			if !told.NoValue && tt.want.replicas > 0 && l.Ready.Known && l.Spec.Known && l.Spec.N > 0 {
				if n := heard(p, l, told); n != tt.want.replicas {
					t.Errorf("the HPA computes %d replicas, want %d", n, tt.want.replicas)
				}
			}
		})
	}
}

func TestReasonsAreClosed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, r := range decision.Reasons() {
		if r.String() == "" || r.Text() == "" || seen[r.String()] {
			t.Errorf("reason %d: name %q, text %q: each must be there, and once", r, r, r.Text())
		}
		seen[r.String()] = true
	}
	if got := decision.Reason(0).String(); got != "unknown" {
		t.Errorf("the zero reason is %q", got)
	}
}
