package tune

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/backtest"
	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/simulate"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

const object = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web}
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: 1
  maxReplicaCount: 500
  triggers:
  - type: external
    metricType: Value
    metadata:
      zmyQuery: avg_over_time(zmy[1m])
`

func server() trigger.Server { return trigger.Server{Interval: 15 * time.Second} }

func plan(t testing.TB, text string) *backtest.Plan {
	t.Helper()
	file, err := manifest.Read("x.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := backtest.NewPlan([]*manifest.File{file}, "", server())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// curve is a demand, by the minute: a half of it to search, and one
// to judge.
func curve(shape func(minute int, rng *rand.Rand) float64, length time.Duration) simulate.Demand {
	rng := rand.New(rand.NewPCG(5, 5))
	d := simulate.Demand{Start: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), Step: time.Minute, Busy: make([]float64, int(length.Minutes()))}
	for i := range d.Busy {
		d.Busy[i] = max(0, shape(i, rng))
	}
	return d
}

func tune(t *testing.T, text string, d simulate.Demand, policies int) *Report {
	t.Helper()
	p := plan(t, text)
	l := p.Loop(d, nil, backtest.Environment{StartDelay: 40 * time.Second, QueryOffset: 5 * time.Second})
	r, err := Run(t.Context(), p, l, Options{Policies: policies, Server: server()})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestSpace: whatever is drawn is a valid trigger that keeps what the owner wrote.
func TestSpace(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		lookbacks  int
	}{
		{name: "a range", text: object, lookbacks: 4},
		{name: "no range", text: strings.Replace(object, "avg_over_time(zmy[1m])", "zmy", 1), lookbacks: 4},
		{name: "a range of its own", text: strings.Replace(object, "1m", "7m", 1), lookbacks: 5},
		{name: "a range that says nothing else", text: strings.Replace(object, "avg_over_time(zmy[1m])", "max_over_time(zmy[3m])", 1), lookbacks: 1},
		{name: "a recording rule", text: object + "      zmyLookback: 4m\n", lookbacks: 1},
		{name: "other keys", text: object + "      metricName: mine\n      inactiveThreshold: '0.97'\n      replicasQuery: ready\n", lookbacks: 4},
	} {
		p := plan(t, tt.text)
		s := newSpace(p, server())
		if len(s.queries) != tt.lookbacks {
			t.Errorf("%s: lookbacks %v, want %d", tt.name, s.lookbacks(), tt.lookbacks)
		}
		rng := rand.New(rand.NewPCG(1, 1))
		q := s.draw(rng)
		for range 400 {
			m := s.metadata(q)
			parsed, err := trigger.Parse(m, server())
			if err != nil {
				t.Fatalf("%s: %+v: %v", tt.name, q, err)
			}
			d := parsed.Policy
			if math.Abs(1-d.Up-float64(q.up)/100) > 1e-9 || math.Abs(d.Target-float64(q.target)/100) > 1e-9 || d.DownDelay != q.downDelay || d.Lookback != q.lookback {
				t.Fatalf("%s: %+v became %+v", tt.name, q, d)
			}
			for _, key := range []string{"metricName", "replicasQuery"} {
				if m[key] != p.Metadata[key] {
					t.Fatalf("%s: %s became %q", tt.name, key, m[key])
				}
			}
			if q = s.vary(rng, q); rng.IntN(5) == 0 {
				q = pick(rng, s.near(&Plain{Target: 20 + 5*rng.IntN(15), Stabilization: 60 * rng.IntN(61)}))
			}
		}
	}
}

// TestFront: nothing on it is dominated, everything else is or has an equal on it.
func TestFront(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	for range 200 {
		var all []simulate.Result
		for range 1 + rng.IntN(40) {
			all = append(all, simulate.Result{ReplicaHours: float64(rng.IntN(8)), SaturatedMinutes: float64(rng.IntN(8)), Changes: rng.IntN(8)})
		}
		best := front(all, func(r simulate.Result) simulate.Result { return r })
		on := map[simulate.Result]int{}
		for _, b := range best {
			on[b]++
		}
		for _, r := range all {
			beaten := false
			for _, o := range all {
				beaten = beaten || dominates(o, r)
			}
			if want := map[bool]int{true: 0, false: 1}[beaten]; on[r] != want {
				t.Fatalf("%+v is %d times on the front, want %d\nof %+v", r, on[r], want, all)
			}
		}
	}
}

func TestGoal(t *testing.T) {
	t.Parallel()
	g := calmest(simulate.Result{ReplicaHours: 100, SaturatedMinutes: 10, Changes: 80, Reversals: 30}, 1)
	tests := []struct {
		name    string
		result  simulate.Result
		reached bool
		miss    float64
	}{
		{name: "exactly", result: simulate.Result{ReplicaHours: 100, SaturatedMinutes: 10, Changes: 8, Reversals: 10}, reached: true, miss: 1},
		{name: "the hours", result: simulate.Result{ReplicaHours: 150, SaturatedMinutes: 10, Changes: 8}, miss: 1.5},
		{name: "the minutes", result: simulate.Result{SaturatedMinutes: 25}, miss: math.Pow(2, easeOfMinutes)},
		{name: "the changes", result: simulate.Result{Changes: 9}, miss: math.Pow(1.1, easeOfChanges)},
		{name: "the reversals", result: simulate.Result{Reversals: 11}, miss: math.Pow(13.0/12, easeOfChanges)},
		{name: "nothing at all", reached: true, miss: math.Pow(5.0/15, easeOfMinutes)},
		{name: "well within", result: simulate.Result{ReplicaHours: 95}, reached: true, miss: 0.95},
	}
	for _, tt := range tests {
		if got := g.miss(tt.result); math.Abs(got-tt.miss) > 1e-9 || g.reached(tt.result) != tt.reached {
			t.Errorf("%s: missed by %v, reached %v; want %v, %v", tt.name, got, g.reached(tt.result), tt.miss, tt.reached)
		}
	}
}

// shapes are of demands that nothing was fitted to.
func shapes() map[string]func(int, *rand.Rand) float64 {
	return map[string]func(int, *rand.Rand) float64{
		"days and nights": func(m int, rng *rand.Rand) float64 {
			return (10 + 8*math.Sin(2*math.Pi*float64(m)/180)) * (1 + 0.05*rng.NormFloat64())
		},
		"a saw": func(m int, _ *rand.Rand) float64 { return 4 + float64(m%60)/4 },
	}
}

// TestRecommended: on curves that nothing was fitted to, and judged on the half
// that it has not seen, the recommended policy costs no more than the plain
// trigger, leaves no more waiting, and changes the fleet a tenth as often.
func TestRecommended(t *testing.T) {
	t.Parallel()
	for name, shape := range shapes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := tune(t, object, curve(shape, 6*time.Hour), 120)
			best := r.Front[r.Recommended]
			g := calmest(r.Baseline, 1)
			if !g.reached(best.Test) {
				t.Errorf("the plain trigger: %+v\nrecommended: %+v\nby %v", r.Baseline, best.Test, best.Metadata)
			}
		})
	}
}

// TestPlainEnough: where the demand never changes, nobody needs a scaler.
func TestPlainEnough(t *testing.T) {
	t.Parallel()
	r := tune(t, object, curve(func(int, *rand.Rand) float64 { return 9 }, 2*time.Hour), 20)
	if r.PlainEnough == nil {
		t.Fatalf("no plain trigger is enough for a steady demand: %+v", r.Front[r.Recommended])
	}
	var out bytes.Buffer
	if err := r.WriteTable(&out); err != nil || !strings.Contains(out.String(), "A plain Prometheus trigger is enough here") {
		t.Errorf("%v:\n%s", err, out.String())
	}
}

// TestRepeatable: the answer does not depend on the number of processors.
func TestRepeatable(t *testing.T) {
	d := curve(shapes()["days and nights"], 2*time.Hour)
	var texts []string
	for _, procs := range []int{1, 4} {
		before := runtime.GOMAXPROCS(procs)
		r := tune(t, object, d, 30)
		runtime.GOMAXPROCS(before)
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	if texts[0] != texts[1] {
		t.Errorf("one processor finds\n%s\nfour find\n%s", texts[0], texts[1])
	}
	var out bytes.Buffer
	r := tune(t, object, d, 30)
	if err := r.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"recommended policy", "plain triggers, tuned", "scaleUpThreshold: \"", "zmyQuery: \""} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not tell %q:\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := r.WriteJSON(&out); err != nil || !strings.Contains(out.String(), `"baselineFront"`) {
		t.Errorf("%v:\n%s", err, out.String())
	}
}

// TestFromEnvironment: what the search writes replaces what the environment gave.
func TestFromEnvironment(t *testing.T) {
	t.Parallel()
	text := object + "      scaleUpDelayFromEnv: DELAY\n      inactiveThresholdFromEnv: REST\n      holdForFromEnv: HOLD\n"
	r := tune(t, text, curve(func(m int, _ *rand.Rand) float64 { return float64(5 + m%9) }, time.Hour), 12)
	m := r.Front[r.Recommended].Metadata
	if _, both := m["scaleUpDelayFromEnv"]; both || m["scaleUpDelay"] == "" || m["holdForFromEnv"] != "HOLD" {
		t.Errorf("recommended %v", m)
	}
}

// TestUnusablePolicies: delays that are too long for a short interval are passed over.
func TestUnusablePolicies(t *testing.T) {
	t.Parallel()
	short := trigger.Server{Interval: 200 * time.Millisecond}
	s := &search{space: newSpace(plan(t, object), short), known: map[policy]*candidate{}}
	p := policy{up: 80, target: 70, down: 60, lookback: time.Minute, mode: modes()[0]}
	long := p
	long.downDelay = 2 * time.Hour
	d := curve(func(int, *rand.Rand) float64 { return 3 }, 2*time.Minute)
	s.train = s.space.plan.Loop(d, nil, backtest.Environment{})
	if err := s.try(t.Context(), []policy{long, p, long}); err != nil || len(s.found) != 1 || s.found[0].policy != p {
		t.Errorf("%v, found %d policies, want the one that parses", err, len(s.found))
	}
	s = &search{space: newSpace(plan(t, object+"      holdFor: '7200'\n"), short), known: map[policy]*candidate{}, train: s.train}
	if err := s.policies(t.Context(), 20, []goal{{}}, nil); err == nil || !strings.Contains(err.Error(), "window") {
		t.Errorf("of none that parse: %v", err)
	}
}

// TestVerdict: what is judged is what is told, the reversals too.
func TestVerdict(t *testing.T) {
	t.Parallel()
	baseline := simulate.Result{ReplicaHours: 10, Changes: 100, Reversals: 30}
	for reversals, want := range map[int]string{10: "policy keeps within", 11: "does not keep within all"} {
		r := Report{Baseline: baseline, Front: []Point{{Test: simulate.Result{ReplicaHours: 9, Changes: 10, Reversals: reversals}}}}
		if got := r.verdict(); !strings.Contains(got, want) || !strings.Contains(got, "a third of its reversals") {
			t.Errorf("%d reversals: %s", reversals, got)
		}
	}
}

func TestNothingToTune(t *testing.T) {
	t.Parallel()
	p := plan(t, object)
	if _, err := Run(t.Context(), p, simulate.Loop{}, Options{Server: server()}); err == nil {
		t.Error("no demand was tuned")
	}
}

// TestFaster: what was recorded stays with the demand that it was recorded with.
func TestFaster(t *testing.T) {
	t.Parallel()
	l := simulate.Loop{Demand: simulate.Demand{Step: time.Minute, Busy: make([]float64, 8)}}
	if got := faster(l, 4); got.Demand.Step != 15*time.Second || got.Recorded != nil {
		t.Errorf("%+v", got)
	}
	l.Recorded = &simulate.Recorded{First: 3}
	for i := range 8 {
		l.Recorded.Guard = append(l.Recorded.Guard, zmy.Amount.Sample(float64(i)))
	}
	r := faster(l, 4).Recorded
	if r.First != 3 || r.CPU != nil || len(r.Guard) != 2 || r.Guard[1].Value != 4 || len(l.Recorded.Guard) != 8 {
		t.Errorf("%+v", r)
	}
}
