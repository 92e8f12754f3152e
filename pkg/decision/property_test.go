package decision_test

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// scene is one random case: a valid policy, a window and a fleet.
type scene struct {
	p *decision.Policy
	w *zmy.Window
	f decision.Fleet
	l decision.Live
}

// source yields the numbers a scene is made from: a fuzzer's bytes, then what
// grows from them.
type source struct {
	data []byte
	rng  *rand.Rand
}

func newSource(data []byte) *source {
	h := fnv.New64a()
	_, _ = h.Write(data)
	return &source{data: data, rng: rand.New(rand.NewPCG(h.Sum64(), 1))}
}

func (s *source) next(n uint64) int {
	switch {
	case n == 0:
		return 0
	case len(s.data) < 4:
		return int(s.rng.Uint64N(n))
	}
	v := binary.LittleEndian.Uint32(s.data)
	s.data = s.data[4:]
	return int(uint64(v) % n)
}

func (s *source) unit() float64          { return float64(s.next(1001)) / 1000 }
func (s *source) flip() bool             { return s.next(2) == 1 }
func (s *source) seconds(n uint64) int64 { return int64(s.next(n)) * int64(time.Second) }

func (s *source) sample(role zmy.Role) zmy.Sample {
	v := s.unit()
	if role == zmy.Workers {
		v = float64(s.next(40))
	}
	out := role.Domain().Sample(v)
	switch s.next(24) {
	case 0:
		out = zmy.Sample{State: zmy.Missing}
	case 1:
		out = zmy.Sample{}
	case 2:
		out = zmy.Sample{State: zmy.State(s.next(8))}
		if out.State == zmy.Good {
			out.Value = role.Domain().Sample(v).Value
		}
	}
	out.Partial = s.next(50) == 0
	return out
}

func newScene(t testing.TB, data []byte) scene {
	s := newSource(data)
	p := policy(t, func(p *decision.Policy) {
		p.Up = 0.05 + 0.4*s.unit()
		p.Down = p.Up + 0.05 + (0.9-p.Up)*s.unit()*0.9
		p.Inactive = p.Down + (1-p.Down)*s.unit()
		p.Target = (1 - p.Down) + (p.Down-p.Up)*(0.1+0.8*s.unit())
		p.TargetMilli = int64(math.Round(p.Target * 1e5))
		p.UpDelay, p.DownDelay = time.Duration(s.seconds(120)), time.Duration(s.seconds(400))
		p.Lookback = time.Duration(s.seconds(400))
		p.Mode = decision.ScaleDownMode(s.next(3))
		p.HasCPU, p.HasWake, p.HasGuard = s.flip(), s.flip(), s.flip()
		p.CPUWeight = s.unit()
		p.GracefulLanding, p.ErrorOnNoData = s.flip(), s.next(4) == 0
	})
	w := &zmy.Window{Grid: p.Grid}
	level, end := s.unit(), p.Grid.At(now)
	for role := range zmy.NumRoles {
		series := zmy.NewSeries(p.Ticks())
		for i := range p.Ticks() {
			v := s.sample(role)
			if role == zmy.Yield && v.OK() && s.next(8) != 0 {
				v.Value = level
			}
			series.Set(end-zmy.Tick(p.Ticks()-1-i), v)
		}
		w.Series[role] = series
	}
	f := fleet(s.next(30))
	f.Spec.Known = s.next(10) != 0
	f.Min = s.next(4)
	f.Max = f.Min + s.next(40)
	f.Status.N, f.Ready.N = f.Spec.N+s.next(4), s.next(uint64(f.Spec.N+3))
	if s.next(8) == 0 {
		f.UnseenScale = now.Add(-time.Duration(s.seconds(300)))
	}
	l := live(f, decision.MetricType(s.next(2)), time.Duration(s.seconds(900)))
	return scene{p: p, w: w, f: f, l: l}
}

// check asserts what must hold for every scene.
func check(t *testing.T, s scene) decision.Decision {
	t.Helper()
	d := decide(s.p, s.w, s.f)
	if again := decide(s.p, s.w, s.f); again != d {
		t.Fatalf("asked twice: %+v, then %+v", d, again)
	}
	r := s.f.Spec.N
	switch {
	case d.Reason.String() == "unknown":
		t.Fatalf("no reason: %+v", d)
	case d.Band == decision.ScaleUp && r > 0 && d.Desired <= r, d.Band == decision.ScaleDown && d.Desired >= r,
		d.Band == decision.Inactive && d.Desired > r:
		t.Fatalf("%v from %d to %d", d.Band, r, d.Desired)
	case d.Band == decision.ScaleDown && d.Desired < max(1, s.f.Min):
		t.Fatalf("%d replicas, below the minimum %d", d.Desired, s.f.Min)
	case d.Band == decision.Inactive && r > 0 && d.Desired < min(r, max(1, s.f.Min)):
		t.Fatalf("%d replicas, below the minimum %d", d.Desired, s.f.Min)
	case d.Band == decision.ScaleUp && s.f.Max > 0 && r > 0 && d.Desired > max(s.f.Max, r+int(math.Ceil(0.1*float64(r)))+1):
		t.Fatalf("%d replicas, above the maximum %d and the HPA's smallest step", d.Desired, s.f.Max)
	case (d.Band == decision.ScaleDown || d.Band == decision.Inactive && r > 0) && (d.Partial || d.Yield.Partial):
		t.Fatalf("%v on partial data", d.Band)
	case (d.Band == decision.ScaleDown || d.Band == decision.Inactive && r > 0) && s.p.HasGuard && (!d.Guard.OK || d.Guard.Value > 0):
		t.Fatalf("%v against the guard", d.Band)
	}
	checkTold(t, s, &d)
	return d
}

func checkTold(t *testing.T, s scene, d *decision.Decision) {
	t.Helper()
	told := decision.Tell(s.p, d, s.l)
	if told.NoValue {
		if told.Value != 0 {
			t.Fatalf("a value beside no value: %+v", told)
		}
		return
	}
	if told.Value < 0 {
		t.Fatalf("negative value: %+v", told)
	}
	r := s.l.Spec.N
	if !s.l.Spec.Known || r == 0 {
		return
	}
	stale := !d.Yield.OK || s.l.Now.Sub(d.Yield.At) > s.p.MaxStaleness
	if stale && !told.Active {
		t.Fatalf("inactive on stale data: %+v", told)
	}
	n := heard(s.p, s.l, told)
	status := s.l.Status.N
	drift := s.l.MetricType == decision.AverageValue && n == status
	switch {
	case stale && n != r && !drift:
		t.Fatalf("stale data move the fleet from %d to %d: %+v", r, n, told)
	case (n-r)*(d.Desired-r) < 0 && !drift:
		t.Fatalf("%v to %d becomes %d at %d replicas", d.Band, d.Desired, n, r)
	case s.l.MetricType == decision.Value && s.l.Ready.N > 0 && told.Replicas != r && (n-told.Replicas)*(n-r) > 0:
		t.Fatalf("told %d, heard %d, at %d", told.Replicas, n, r)
	}
	// After the HPA has acted, the same decision moves nothing further.
	after := s.l
	after.Spec.N, after.Status.N, after.Ready.N = n, n, n
	if again := decision.Tell(s.p, d, after); n > 0 && !drift && !again.NoValue {
		if m := heard(s.p, after, again); (m-n)*(n-r) > 0 && m != d.Desired {
			t.Fatalf("after %d -> %d the same decision goes on to %d", r, n, m)
		}
	}
}

func TestDecideProperties(t *testing.T) {
	t.Parallel()
	bands, reasons := map[decision.Band]int{}, map[decision.Reason]int{}
	for i := range uint64(12000) {
		d := check(t, newScene(t, binary.LittleEndian.AppendUint64(nil, i)))
		bands[d.Band]++
		reasons[d.Reason]++
	}
	// A property that is never put to the test holds for nothing.
	for _, b := range decision.Bands() {
		if bands[b] < 100 {
			t.Errorf("band %v came up %d times only", b, bands[b])
		}
	}
	if len(reasons) < 18 {
		t.Errorf("only %d reasons came up: %v", len(reasons), reasons)
	}
}

func FuzzDecide(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a yield, some workers and a guard that is missing"))
	f.Fuzz(func(t *testing.T, data []byte) { check(t, newScene(t, data)) })
}

// TestWindowIsEnough: samples older than the window, or later than the instant,
// change nothing.
func TestWindowIsEnough(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 5))
	for i := range uint64(1000) {
		s := newScene(t, binary.LittleEndian.AppendUint64(nil, i))
		end, n := s.p.Grid.At(now), zmy.Tick(s.p.Ticks())
		wider := &zmy.Window{Grid: s.p.Grid}
		for role := range zmy.NumRoles {
			series := zmy.NewSeries(s.p.Ticks() + 40)
			for k := end - n - 20; k <= end+10; k++ {
				v := s.w.Of(role).At(k)
				if k <= end-n || k > end {
					v = zmy.Sample{Value: rng.Float64(), State: zmy.Good}
				}
				series.Set(k, v)
			}
			wider.Series[role] = series
		}
		if got, want := decide(s.p, wider, s.f), decide(s.p, s.w, s.f); got != want {
			t.Fatalf("a wider window changes the decision\n got %+v\nwant %+v", got, want)
		}
	}
}

// TestLowerYieldNeverFewer: in the scale-up band, less yield never means fewer
// replicas.
func TestLowerYieldNeverFewer(t *testing.T) {
	t.Parallel()
	p := policy(t, nil)
	for _, n := range []int{1, 2, 7, 20, 45} {
		last := 0
		for y := 299; y >= 0; y-- {
			w := window(t, p, lines{zmy.Workers: "1x3"})
			workers, yield := zmy.NewSeries(p.Ticks()), zmy.NewSeries(p.Ticks())
			workers.Set(p.Grid.At(now), zmy.Amount.Sample(float64(n)))
			yield.Set(p.Grid.At(now), zmy.Ratio.Sample(float64(y)/1000))
			w.Series[zmy.Workers], w.Series[zmy.Yield] = workers, yield
			d := decide(p, w, fleet(n))
			if d.Band != decision.ScaleUp || d.Desired < last {
				t.Fatalf("%d workers at %.3f: %v to %d, after %d", n, float64(y)/1000, d.Band, d.Desired, last)
			}
			last = d.Desired
		}
	}
}

func benchScene(tb testing.TB) (*decision.Policy, *zmy.Window, decision.Fleet) {
	p := policy(tb, func(p *decision.Policy) { p.HasCPU, p.HasGuard, p.HasWake = true, true, true })
	w := window(tb, p, lines{
		zmy.Yield: "0.93x21", zmy.Workers: "40x21", zmy.CPU: "0.2x21", zmy.Guard: "0x21", zmy.Wake: "0x21",
	})
	return p, w, fleet(40)
}

func TestDecideAllocatesNothing(t *testing.T) {
	p, w, f := benchScene(t)
	at := p.Grid.At(now)
	var sink decision.Decision
	if n := testing.AllocsPerRun(100, func() { sink = decision.Decide(p, w, f, at) }); n != 0 {
		t.Errorf("%v allocations a decision, want none", n)
	}
	if sink.Band != decision.ScaleDown {
		t.Errorf("the benchmark decides %v, %v; want a scale-down, the longest path", sink.Band, sink.Reason)
	}
	l := live(f, decision.Value, 0)
	if n := testing.AllocsPerRun(100, func() { _ = decision.Tell(p, &sink, l) }); n != 0 {
		t.Errorf("%v allocations an answer, want none", n)
	}
}

func BenchmarkDecide(b *testing.B) {
	p, w, f := benchScene(b)
	at := p.Grid.At(now)
	b.ReportAllocs()
	for b.Loop() {
		_ = decision.Decide(p, w, f, at)
	}
}
