package client

import (
	"context"
	"fmt"
	"math/rand/v2"
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

// instants is how many instants of the grid the twins are compared at.
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
	bare := merge(common, map[string]string{"zmyQuery": "last_over_time(zmy[1s])", "scaleDownDelay": "5s", "maxStaleness": "4s"})
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

// ask returns what it answers now, by trigger.
func (w *twin) ask(ctx context.Context) map[string]string {
	all := map[string]string{}
	for trigger, s := range w.clients {
		got, err := rig.Ask(ctx, s)
		all[trigger] = fmt.Sprintf("%d, active %v", got.Milli, got.Active)
		if err != nil {
			all[trigger] = err.Error()
		}
	}
	return all
}

// TestTwins compares two scalers on one Prometheus at every instant of the grid,
// while one of them is restarted: once killed, once stopped.
func TestTwins(t *testing.T) {
	t.Parallel()
	p := promquerytest.New(t, "")
	begin := time.Now().Add(3 * time.Second).Truncate(step)
	restless(t, p, begin)
	config := rig.Config{Offset: "0s", Sources: map[string]string{"default": p.URL}}.Write(t)
	one, other := newTwin(t, "the one", config), newTwin(t, "the other", config)
	ctx, cancel := context.WithTimeout(t.Context(), (instants+60)*time.Second)
	defer cancel()

	distinct := map[string]bool{}
	for i := range instants {
		at := begin.Add(time.Duration(i) * step)
		switch i {
		case instants / 3:
			other.Signal(t, syscall.SIGKILL)
			other = newTwin(t, "the other, restarted after a kill", config)
		case instants * 2 / 3:
			other.Signal(t, syscall.SIGTERM)
			other = newTwin(t, "the other, restarted after a stop", config)
		}
		diff := compare(ctx, t, at, one, other, distinct)
		if diff != "" {
			t.Fatalf("at instant %d, %v, they differ (-one +other):\n%s", i, at.UTC(), diff)
		}
	}
	if len(distinct) < instants {
		t.Errorf("only %d different answers: the script is too dull to prove anything", len(distinct))
	}
	t.Logf("%d instants, %d triggers, %d different answers, and the twins always agreed", instants, len(twinTriggers()), len(distinct))
}

// compare asks both between one instant of the grid and the next. The first
// answers may still be those of the instant before, on one side or both, so that
// they have until shortly before the next instant to agree.
func compare(ctx context.Context, t *testing.T, at time.Time, one, other *twin, distinct map[string]bool) string {
	t.Helper()
	if err := wait.Instant(ctx, at.Add(step/2)); err != nil {
		t.Fatal(err)
	}
	for {
		a, b := one.ask(ctx), other.ask(ctx)
		diff := cmp.Diff(a, b)
		if diff == "" {
			for trigger, answer := range a {
				distinct[trigger+": "+answer] = true
			}
			return ""
		}
		if time.Since(at) > step*9/10 {
			return diff
		}
		if err := wait.For(ctx, step/20); err != nil {
			t.Fatal(err)
		}
	}
}
