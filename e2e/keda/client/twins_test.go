package client

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/prometheus/prometheus/model/labels"
	v2 "k8s.io/api/autoscaling/v2"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// instants is how many instants of the grid the script has: a scaler remembers
// more decisions than that.
const instants = 75

// restless stores a minute of history and what comes after it: yields that wander
// through all bands and have gaps, workers that come and go, and a queue.
func restless(t *testing.T, p *promquerytest.Server, from time.Time) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	levels := []float64{0.05, 0.2, 0.5, 0.93, 0.97, 0.99}
	yield, workers, lag := 0.5, 10.0, 0.0
	var samples []promembed.Sample
	for i := range 60 + instants + 60 {
		at := from.Add(time.Duration(i-60) * step)
		if i%9 == 0 {
			yield = levels[rng.IntN(len(levels))]
		}
		if i%4 == 1 {
			workers = float64(rng.IntN(40))
		}
		if i%20 == 3 {
			lag = float64(rng.IntN(2))
		}
		if rng.IntN(10) > 0 { // else there was no scrape
			samples = append(samples, sample("zmy", at, min(1, yield+0.01*float64(i%7))))
		}
		samples = append(samples, sample("workers", at, workers), sample("lag", at, lag))
	}
	p.Append(samples...)
}

func sample(name string, at time.Time, v float64) promembed.Sample {
	return promembed.Sample{Labels: labels.FromStrings("__name__", name), T: at, V: v}
}

// twinTriggers are what both are asked.
func twinTriggers() map[string]map[string]string {
	common := map[string]string{"replicasQuery": "workers"}
	// The age of a yield is measured at the call: no gap of the script comes near it.
	bare := merge(common, map[string]string{"zmyQuery": "last_over_time(zmy[1s])", "scaleDownDelay": "5s", "maxStaleness": "6s"})
	return map[string]map[string]string{
		"bare samples": bare,
		"averaged":     merge(common, map[string]string{"zmyQuery": "avg_over_time(zmy[10s])", "scaleDownDelay": "8s", "scaleUpDelay": "2s"}),
		"as a ratio":   merge(bare, map[string]string{"metricType": "Value"}),
		"guarded": merge(bare, map[string]string{
			"guardQuery": "lag", "wakeQuery": "lag", "scaleDownMode": "proportional", "gracefulLanding": "true",
		}),
		"with CPU": merge(bare, map[string]string{"cpuQuery": "clamp_max(workers / 20, 1)", "scaleDownMode": "floor"}),
	}
}

// decided is one decision of a history, as the scaler's API tells it. The value and
// the activity are what KEDA would have been told of it.
type decided struct {
	At                time.Time
	Band, Reason      string
	Yield, Value      *float64
	Replicas, Desired *int
	Active            *bool
}

// history has the decisions of each trigger, by their instants.
type history map[string]map[time.Time]decided

// add adds what another process decided, after a restart.
func (h history) add(o history) {
	for trigger, all := range o {
		if h[trigger] == nil {
			h[trigger] = map[time.Time]decided{}
		}
		maps.Copy(h[trigger], all)
	}
}

// twin is one of the scalers, with a client for each trigger.
type twin struct {
	*rig.Scaler
	clients map[string]scalers.Scaler
}

func newTwin(t *testing.T, name, config string) *twin {
	t.Helper()
	w := &twin{Scaler: rig.StartScaler(t, name, config), clients: map[string]scalers.Scaler{}}
	for trigger, metadata := range twinTriggers() {
		w.clients[trigger] = rig.Trigger{
			Address: w.GRPC, Name: trigger, MetricType: v2.MetricTargetType(metadata["metricType"]), Metadata: metadata,
		}.Poll(t)
	}
	return w
}

// ask asks as KEDA does. The answers depend on the moment, and may be errors: what
// was decided, and would have been told at once, is compared afterwards.
func (w *twin) ask(ctx context.Context) {
	for _, s := range w.clients {
		_, _ = rig.Ask(ctx, s)
	}
}

// decisions returns what the scaler remembers of each trigger.
func (w *twin) decisions(ctx context.Context, t *testing.T) history {
	t.Helper()
	h := history{}
	for trigger := range w.clients {
		code, body, err := get(ctx, t, w.Scaler, "/api/v1/triggers/shop/"+url.PathEscape(trigger))
		if err != nil || code != http.StatusOK {
			t.Fatalf("%s: %d, %v: %s", trigger, code, err, body)
		}
		var told struct {
			Triggers []struct{ Recent []decided }
		}
		if err := json.Unmarshal([]byte(body), &told); err != nil || len(told.Triggers) != 1 {
			t.Fatalf("%s: %v: %s", trigger, err, body)
		}
		h[trigger] = map[time.Time]decided{}
		for _, d := range told.Triggers[0].Recent {
			h[trigger][d.At] = d
		}
	}
	return h
}

// failures returns how many evaluations could not ask in time: there the twins saw
// different things.
func (w *twin) failures(ctx context.Context, t *testing.T) int {
	t.Helper()
	n := 0.0
	for _, m := range scrape(ctx, t, w.Scaler)["zmy_scaler_evaluations_total"].GetMetric() {
		if labelsOf(m)["result"] == "error" {
			n += m.GetCounter().GetValue()
		}
	}
	return int(n)
}

// TestTwins compares what two scalers on one Prometheus decided at every instant of
// the grid, while one of them was restarted: once killed, once stopped.
func TestTwins(t *testing.T) {
	t.Parallel()
	p := promquerytest.New(t, "")
	config := rig.Config{Offset: "0s", Sources: map[string]string{"default": p.URL}}.Write(t)
	one, other := newTwin(t, "the one", config), newTwin(t, "the other", config)
	// Only now, since on a busy machine their start takes its time.
	begin := time.Now().Add(3 * time.Second).Truncate(step)
	restless(t, p, begin)
	ctx, cancel := context.WithTimeout(t.Context(), (instants+120)*time.Second)
	defer cancel()

	before, failed := history{}, 0
	restart := func(how syscall.Signal, name string) {
		before.add(other.decisions(ctx, t))
		failed += other.failures(ctx, t)
		other.Signal(t, how)
		other = newTwin(t, name, config)
	}
	for i := range instants {
		switch i {
		case instants / 3:
			restart(syscall.SIGKILL, "the other, restarted after a kill")
		case instants * 2 / 3:
			restart(syscall.SIGTERM, "the other, restarted after a stop")
		}
		one.ask(ctx)
		other.ask(ctx)
		if err := wait.Instant(ctx, begin.Add(time.Duration(i+1)*step)); err != nil {
			t.Fatal(err)
		}
	}
	before.add(other.decisions(ctx, t))
	failed += other.failures(ctx, t) + one.failures(ctx, t)
	compare(t, one.decisions(ctx, t), before, failed)
}

// compare compares two histories where both have decisions. They may differ where
// an evaluation failed, and nowhere else.
func compare(t *testing.T, one, other history, failed int) {
	t.Helper()
	distinct, shared, differ := map[string]bool{}, 0, 0
	for trigger, all := range one {
		both := 0
		for at, a := range all {
			b, known := other[trigger][at]
			if !known {
				continue
			}
			both++
			if diff := cmp.Diff(a, b); diff != "" {
				if differ++; differ > failed {
					t.Errorf("%s at %v: they differ (-one +other):\n%s", trigger, at.UTC(), diff)
				}
			}
			text, err := json.Marshal(decided{Band: a.Band, Reason: a.Reason, Value: a.Value, Active: a.Active})
			if err != nil {
				t.Fatal(err)
			}
			distinct[trigger+string(text)] = true
		}
		if both < instants/2 {
			t.Errorf("%s: only %d instants at which both decided", trigger, both)
		}
		shared += both
	}
	if len(distinct) < instants {
		t.Errorf("only %d different decisions: the script is too dull to prove anything", len(distinct))
	}
	if failed > shared/3 {
		t.Errorf("%d evaluations failed: the machine is too busy to prove anything", failed)
	}
	t.Logf("%d pairs of decisions, %d of them different from all others; %d evaluations failed, %d pairs differ", shared, len(distinct), failed, differ)
}
