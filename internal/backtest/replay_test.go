package backtest

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/fleet"
	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
)

const interval = 15 * time.Second

// prometheus is a real engine and storage that is reached without a network.
type prometheus struct{ db *promembed.Server }

func newPrometheus(t *testing.T) prometheus {
	t.Helper()
	db, err := promembed.Open(promembed.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return prometheus{db}
}

// RoundTrip implements http.RoundTripper.
func (p prometheus) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.db.ServeHTTP(w, r)
	return w.Result(), nil
}

func (p prometheus) put(t *testing.T, name string, at time.Time, v float64) {
	t.Helper()
	sample := promembed.Sample{Labels: labels.FromStrings(model.MetricNameLabel, name), T: at, V: v}
	if err := p.db.Append(t.Context(), sample); err != nil {
		t.Fatal(err)
	}
}

func (p prometheus) source(t *testing.T) *promquery.Source {
	t.Helper()
	s, err := promquery.NewSource(promquery.NewSourceConfig("default", "http://prometheus:9090"), promquery.WithTransport(p))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const liveManifest = `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: payment, namespace: shop}
spec:
  scaleTargetRef: {name: payment}
  triggers:
  - type: external
    metadata:
      scalerAddress: zmy-scaler.zmy-system:6000
      zmyQuery: avg_over_time(zmy[1m])
      replicasQuery: workers_ready
      guardQuery: queue_waiting > bool 40
      cpuQuery: worker_cpu_ratio
      cpuWeight: "0.25"
      scaleDownDelay: 2m
      scaleUpDelay: "15"
      scaleDownMode: proportional
`

// TestReplayGivesTheDecisionsBack: a scaler decides for almost a day of its
// time, on a real query engine; the history that is then fetched from the same
// storage gives every one of its decisions back, to the last bit.
func TestReplayGivesTheDecisionsBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const decisions = 5600
		prom := newPrometheus(t)
		plan := plan(t, liveManifest)
		live := liveDecisions(t, prom, plan.Metadata, decisions)

		h, err := Fetch(t.Context(), prom.source(t), plan, Span{From: live[0].At, To: live[len(live)-1].At})
		if err != nil {
			t.Fatal(err)
		}
		bands, differ, n := map[decision.Band]int{}, 0, 0
		h.Decisions(plan, func(d decision.Decision) {
			if d != live[n] {
				if differ++; differ <= 3 {
					t.Errorf("at %v the scaler decided\n%+v\nand the replay\n%+v", d.At, live[n], d)
				}
			}
			bands[d.Band]++
			n++
		})
		if n != decisions || differ > 0 {
			t.Errorf("%d decisions of %d, %d of them different", n, decisions, differ)
		}
		// Equal decisions that say nothing would prove nothing.
		for _, b := range decision.Bands() {
			if bands[b] < 20 {
				t.Errorf("band %v came up %d times only", b, bands[b])
			}
		}
		if len(h.Demand.Busy) != decisions {
			t.Errorf("%d steps of demand", len(h.Demand.Busy))
		}
	})
}

// liveDecisions lets a scaler scale a fleet, and returns what it decided.
func liveDecisions(t *testing.T, prom prometheus, metadata map[string]string, n int) []decision.Decision {
	e, err := engine.New(t.Context(), engine.Config{
		Interval: interval, Timeout: 10 * time.Second, QueryOffset: 5 * time.Second,
		Sources: map[string]engine.Source{"default": {Querier: prom.source(t), MaxConcurrency: 1, Allows: func(string) bool { return true }}},
		Clock:   clock.Real(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = e.Run(t.Context()) }()
	workers, err := fleet.New(fleet.Config{
		Start: time.Now(), Replicas: 4, StartDelay: 40 * time.Second, IdleCPU: 0.1, BusyCPU: 0.9, Noise: 0.2, Seed: 7,
		Demand: func(since time.Duration) float64 {
			day := fleet.Day(6, 2*time.Hour, time.Hour)(since)
			return day + fleet.Bursts(0, 4, 20*time.Minute, 7*time.Minute, 50*time.Minute)(since)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	// The bubble's time begins on the grid. The scaler is asked past its offset.
	const late = 8 * time.Second
	<-time.After(late)
	var all []decision.Decision
	for i := 0; len(all) < n; i++ {
		<-time.After(interval - late)
		synctest.Wait()
		r := workers.Step(time.Now())
		for _, m := range r.Metrics() {
			if m.Name != fleet.MetricYield || i%97 > 2 { // now and then a scrape is lost
				prom.put(t, m.Name, time.Now(), m.Value)
			}
		}
		<-time.After(late)
		synctest.Wait()
		a, err := e.Answer(t.Context(), engine.Call{Namespace: "shop", Name: "payment", Metadata: metadata})
		if err != nil {
			t.Fatal(err)
		}
		if len(all) == 0 || a.Decision.At.After(all[len(all)-1].At) {
			all = append(all, a.Decision)
		}
		if !a.Told.NoValue {
			spec := decision.HPAAverageValue(a.Told.Value, a.Trigger.Policy.TargetMilli, max(1, r.Spec), decision.Tolerance{Down: 0.1, Up: 0.1})
			workers.SetReplicas(max(1, spec))
		}
	}
	return all
}

func plan(t *testing.T, text string) *Plan {
	t.Helper()
	file, err := manifest.Read("x.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan([]*manifest.File{file}, "", trigger.Server{Interval: interval})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
