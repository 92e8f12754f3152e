package client

import (
	"context"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/kedacore/keda/v2/pkg/scalers"
	v2 "k8s.io/api/autoscaling/v2"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// crew is how many workers every fleet of the harm tests has.
const crew = 10

// harm is one way in which a Prometheus fails. Where it answers wrongly for one
// metric only, the yields say how; otherwise the yield turns idle at the same
// moment, so that any leak would scale down.
type harm struct {
	name   string
	begin  func(*promquerytest.Server)
	end    func(*promquerytest.Server)
	yields []float64
}

func harms() []harm {
	up := (*promquerytest.Server).Up
	answer := func(body string) func(*promquerytest.Server) {
		return func(p *promquerytest.Server) { p.Answer(http.StatusOK, []byte(body)) }
	}
	return []harm{
		{name: "500", begin: func(p *promquerytest.Server) { p.Fail(http.StatusInternalServerError) }, end: up},
		{name: "429", begin: func(p *promquerytest.Server) { p.Fail(http.StatusTooManyRequests) }, end: up},
		{name: "401", begin: func(p *promquerytest.Server) { p.Fail(http.StatusUnauthorized) }, end: up},
		{name: "hangs", begin: (*promquerytest.Server).Hang, end: up},
		{name: "cuts", begin: (*promquerytest.Server).Down, end: up},
		{name: "garbage", begin: func(p *promquerytest.Server) { p.Garbage([]byte{0, 255, '{', 7}) }, end: up},
		{name: "a login page", begin: answer("<html>please log in</html>"), end: up},
		{name: "empty", begin: answer(""), end: up},
		{name: "half an answer", begin: answer(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"val`), end: up},
		{name: "an error as 200", begin: answer(`{"status":"error","errorType":"internal","error":"no"}`), end: up},
		{name: "another shape", begin: answer(`{"status":"success","data":{"resultType":"vector","result":{"value":"0.97"}}}`), end: up},
		{name: "no series at all", begin: answer(`{"status":"success","data":{"resultType":"vector","result":[]}}`), end: up},
		{name: "a string", begin: answer(`{"status":"success","data":{"resultType":"string","result":[1,"0.97"]}}`), end: up},
		{
			name: "warnings", begin: func(p *promquerytest.Server) { p.Warn("a store could not be reached") },
			end: func(p *promquerytest.Server) { p.Warn("") },
		},
		{name: "NaN", yields: []float64{math.NaN()}},
		{name: "+Inf", yields: []float64{math.Inf(1)}},
		{name: "-Inf", yields: []float64{math.Inf(-1)}},
		{name: "percent", yields: []float64{97}},
		{name: "negative", yields: []float64{-0.97}},
		{name: "just above 1", yields: []float64{1.001}},
		{name: "several series", yields: []float64{0.97, 0.98}},
		{name: "nothing", yields: []float64{}},
	}
}

// patient is a trigger on a Prometheus that is about to fail.
type patient struct {
	harm
	prometheus *promquerytest.Server
	metricType v2.MetricTargetType
	kind       string
	scaler     scalers.Scaler
}

// prepare gives every harm a Prometheus of its own, with a crew and no yield yet.
func prepare(t *testing.T) (sources map[string]string, servers map[string]*promquerytest.Server) {
	t.Helper()
	sources, servers = map[string]string{}, map[string]*promquerytest.Server{}
	for i, h := range harms() {
		p := promquerytest.New(t, "")
		steady(t, p, "workers", crew)
		servers[h.name], sources[sourceOf(i)] = p, p.URL
	}
	return sources, servers
}

// fill stores yields that are steady until the instant of the failure.
func fill(t *testing.T, servers map[string]*promquerytest.Server, fails time.Time) {
	t.Helper()
	for _, h := range harms() {
		p := servers[h.name]
		before := stretch{10 * time.Minute, 0.5}
		after := h.yields
		if after == nil {
			after = []float64{0.97}
		}
		from := fails.Add(-before.lasts)
		for j, v := range append(after, absent())[:max(1, len(after))] {
			label := string(rune('a' + j))
			if j == 0 {
				load(t, p, "zmy", label, from, before, stretch{10 * time.Minute, v})
			} else {
				load(t, p, "zmy", label, fails, stretch{10 * time.Minute, v})
			}
		}
	}
}

func sourceOf(i int) string { return "source-" + string(rune('a'+i)) }

// admit makes the triggers: both metric types, with data that soon counts as
// stale and with data that does not.
func admit(t *testing.T, address string, servers map[string]*promquerytest.Server) []patient {
	t.Helper()
	var all []patient
	for i, h := range harms() {
		for _, metricType := range []v2.MetricTargetType{v2.AverageValueMetricType, v2.ValueMetricType} {
			for kind, staleness := range map[string]string{"fresh for long": "60s", "soon stale": "2s"} {
				s := rig.Trigger{Address: address, MetricType: metricType, Metadata: map[string]string{
					"source": sourceOf(i), "zmyQuery": "zmy", "replicasQuery": "workers", "metricType": string(metricType),
					"scaleDownDelay": "3s", "maxStaleness": staleness,
				}}.Poll(t)
				all = append(all, patient{h, servers[h.name], metricType, kind, s})
			}
		}
	}
	return all
}

// holds reports whether the patient is told to stay as it is.
func (p patient) holds(ctx context.Context, t *testing.T, when string) {
	t.Helper()
	got, err := rig.Ask(ctx, p.scaler)
	if err != nil {
		t.Errorf("%s, %s, %s, %s: %v", p.name, p.metricType, p.kind, when, err)
		return
	}
	if n := got.Replicas(p.metricType, target, crew); n != crew || !got.Active {
		t.Errorf("%s, %s, %s, %s: value %d means %d replicas, active %v; want %d, true", p.name, p.metricType, p.kind, when, got.Milli, n, got.Active, crew)
	}
}

// TestHarm lets Prometheus fail in every way while the fleets turn idle. Nothing
// may move, go inactive or be refused, for long after the delay of a scale-down.
// Then Prometheus mends, and the scale-down comes.
func TestHarm(t *testing.T) {
	t.Parallel()
	sources, servers := prepare(t)
	scaler := rig.StartScaler(t, "scaler", rig.Config{Sources: sources}.Write(t))
	patients := admit(t, scaler.GRPC, servers)
	// Only now, since on a busy machine all of that takes its time. So do the first
	// calls, for which the scaler reads the past.
	fails := time.Now().Add(45 * time.Second).Truncate(time.Second)
	fill(t, servers, fails)
	ctx, cancel := context.WithDeadline(t.Context(), fails.Add(90*time.Second))
	defer cancel()
	for _, p := range patients {
		// The first of these readings may run out of time.
		if err := wait.Until(ctx, p.name+" to be answered", func() bool {
			_, err := rig.Ask(ctx, p.scaler)
			return err == nil
		}); err != nil {
			t.Fatal(err)
		}
		p.holds(ctx, t, "before")
	}
	if !time.Now().Before(fails) || t.Failed() {
		t.Fatal("not all fleets were seen steady before the failures")
	}
	// Some instants early, so that a late start lets no idle yield through.
	if err := wait.Instant(ctx, fails.Add(-2*step)); err != nil {
		t.Fatal(err)
	}
	for _, h := range harms() {
		if h.begin != nil {
			h.begin(servers[h.name])
		}
	}
	rounds := 0
	for ; time.Since(fails) < 12*time.Second && !t.Failed(); rounds++ {
		for _, p := range patients {
			p.holds(ctx, t, time.Since(fails).Round(step/10).String()+" after the failure")
		}
		if err := wait.For(ctx, step/5); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d triggers held through %d rounds of calls", len(patients), rounds)
	for _, h := range harms() {
		if h.end != nil {
			h.end(servers[h.name])
		}
	}
	for _, p := range patients {
		if p.end == nil {
			continue
		}
		if err := wait.Until(ctx, p.name+" to go inactive once Prometheus has mended", func() bool {
			got, err := rig.Ask(ctx, p.scaler)
			return err == nil && !got.Active && got.Replicas(p.metricType, target, crew) == 1
		}); err != nil {
			t.Error(err)
		}
	}
}
