package backtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/internal/simulate"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

const plainManifest = `
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: 2
  maxReplicaCount: 30
  triggers:
  - type: external-push
    metricType: Value
    metadata: {zmyQuery: zmy, guardQuery: queue > bool 5}
`

func TestNewPlan(t *testing.T) {
	t.Parallel()
	other := strings.Replace(plainManifest, "name: web, namespace: shop", "name: api", 1)
	tests := []struct {
		name, text, object string
		want               string // metric type and mode of the trigger chosen
		notes              int
		wrong              string
	}{
		{name: "the only one", text: plainManifest, want: "Value push"},
		{name: "by name", text: plainManifest + "---" + other, object: "api", want: "Value push"},
		{name: "by namespace and name", text: plainManifest + "---" + other, object: "shop/web", want: "Value push"},
		{name: "several", text: plainManifest + "---" + other, wrong: "shop/web, api: choose one with --object"},
		{name: "none of that name", text: plainManifest, object: "x", wrong: `"x"`},
		{name: "no trigger of ours", text: strings.Replace(plainManifest, "external-push", "kafka", 1), wrong: "no ScaledObject"},
		{name: "an external one of somebody else", text: strings.Replace(plainManifest, "zmyQuery", "query", 1), wrong: "no ScaledObject"},
		{name: "an active one before one in shadow mode", notes: 1, text: strings.Replace(plainManifest, "  - type: external-push\n", "  - {type: external, metadata: {zmyQuery: a, mode: shadow}}\n  - type: external-push\n", 1), want: "Value push"},
		{name: "nothing but shadow", notes: 1, text: strings.Replace(plainManifest, "guardQuery: queue > bool 5", "mode: shadow", 1), want: "Value push"},
		{name: "a formula, and a value from the environment", notes: 2, text: strings.Replace(plainManifest, "guardQuery: queue > bool 5", "scaleUpDelayFromEnv: DELAY", 1) + "  advanced: {scalingModifiers: {formula: a + b}}\n", want: "Value push"},
		{name: "faults of both kinds at once", text: strings.Replace(strings.Replace(plainManifest, "minReplicaCount: 2", "minReplicaCount: -2", 1), "zmyQuery: zmy", "zmyQuery: zmy, scaleUpThreshold: '2'", 1), wrong: "scaleUpThreshold"},
		{name: "a metricType in the metadata, too", text: strings.Replace(plainManifest, "zmyQuery: zmy", "zmyQuery: zmy, metricType: Value", 1), want: "Value push"},
		{name: "two metricTypes", text: strings.Replace(plainManifest, "zmyQuery: zmy", "zmyQuery: zmy, metricType: AverageValue", 1), wrong: "make them agree"},
		{name: "a metricType in the metadata alone", text: strings.Replace(strings.Replace(plainManifest, "    metricType: Value\n", "", 1), "zmyQuery: zmy", "zmyQuery: zmy, metricType: Value", 1), wrong: "which is AverageValue"},
		{name: "a metricType for resources", text: strings.Replace(plainManifest, "metricType: Value", "metricType: Utilization", 1), wrong: "KEDA takes Value or AverageValue"},
		{name: "no YAML", text: "a: [", wrong: "no YAML"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file, err := manifest.Read("x.yaml", strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			p, err := NewPlan([]*manifest.File{file}, tt.object, trigger.Server{Interval: interval})
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("got %v, want a word about %q", err, tt.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := p.MetricType.String()
			if p.Push {
				got += " push"
			}
			if got != tt.want || len(p.Notes) != tt.notes || p.Metadata["zmyQuery"] != "zmy" {
				t.Errorf("%s, %v, notes %q; want %s and %d notes", got, p.Metadata, p.Notes, tt.want, tt.notes)
			}
		})
	}
}

// hours is an hour of 3 busy workers between two of 1.
func hours() simulate.Demand {
	d := simulate.Demand{Start: time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC), Step: time.Minute}
	for i := range 180 {
		d.Busy = append(d.Busy, map[bool]float64{true: 3, false: 1}[i/60 == 1])
	}
	return d
}

func report(t *testing.T, o Options) *Report {
	t.Helper()
	p := plan(t, plainManifest).WithoutHistory()
	r, err := Run(t.Context(), p, p.Loop(hours(), nil, Environment{StartDelay: 40 * time.Second, QueryOffset: 5 * time.Second}), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReport(t *testing.T) {
	t.Parallel()
	told := 0.0
	r := report(t, Options{Compare: true, CostPerReplicaHour: 0.5, Progress: func(share float64) { told = share }})
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"from", "to", "steps", "metadata", "result", "baseline", "cost", "changes"} {
		if got[key] == nil {
			t.Errorf("the JSON has no %s", key)
		}
	}
	if got["from"] != "2026-03-02T06:00:00Z" || got["to"] != "2026-03-02T09:00:00Z" || got["steps"] != 719.0 {
		t.Errorf("%v to %v, %v steps", got["from"], got["to"], got["steps"])
	}
	var keys []string
	for k := range got["result"].(map[string]any) {
		keys = append(keys, k)
	}
	if len(keys) != 6 {
		t.Errorf("a result has %v", keys)
	}
	if want := 0.5 * r.Result.ReplicaHours; math.Abs(r.Cost.Result-want) > 1e-9 || *r.Cost.Baseline != 0.5*r.Baseline.ReplicaHours {
		t.Errorf("cost %+v", r.Cost)
	}
	if told != 0 {
		t.Errorf("a run of %d decisions told of %v", r.Steps, told)
	}
	out.Reset()
	if err := r.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"web, 2026-03-02 06:00:00 to 2026-03-02 09:00:00 (3h0m0s), 719 decisions", "plain trigger", "replica-hours", "cost", "HPA  saturated"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not tell %q:\n%s", want, out.String())
		}
	}
}

// TestChangesOfTheReport: the fleet begins at the target, grows with the demand and
// shrinks after the delay and the HPA's window.
func TestChangesOfTheReport(t *testing.T) {
	t.Parallel()
	var got []string
	for _, c := range report(t, Options{}).Changes {
		got = append(got, fmt.Sprint(c.At.Format("15:04:05"), " ", c.From, " ", c.To, " ", c.By, " ", c.Band, " ", c.Reason))
	}
	// 1 busy worker at a target of 0.3 are 4. 3 of 4 busy are told as 10, the
	// most of a turn is twice as many. With 10 and 1 busy, the yield is just 0.9:
	// the fleet stays.
	want := []string{"07:00:25 4 8 HPA scale_up saturated", "07:00:40 8 10 HPA scale_up saturated"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	for _, compare := range []bool{true, false} {
		r := report(t, Options{Compare: compare})
		r.name = `<script>alert("x")</script>`
		var out bytes.Buffer
		if err := r.WriteHTML(&out); err != nil {
			t.Fatal(err)
		}
		page := out.String()
		for _, want := range []string{"<svg", "viewport", "prefers-color-scheme: dark", "the yield is below scaleUpThreshold", "4 → 8", "Demand against capacity", "Yield in its bands"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page has no %q", want)
			}
		}
		if got := strings.Contains(page, "plain trigger"); got != compare {
			t.Errorf("the page tells of a plain trigger: %v", got)
		}
		if strings.Contains(page, "<script") || regexp.MustCompile(`(src|href)=|url\(|@import|https?:`).MatchString(page) {
			t.Error("the page needs something else, or runs what a name says")
		}
		if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") || strings.Contains(page, "ZgotmplZ") {
			t.Error("the page shows what is no number")
		}
		if n := strings.Count(page, "<path"); n < 4 {
			t.Errorf("%d curves", n)
		}
	}
}

func TestPlot(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	p := plot{from: from, to: from.Add(9 * time.Hour), top: 10}
	var moments []moment
	for i := range columns {
		moments = append(moments, moment{at: from.Add(time.Duration(i) * 36 * time.Second), spec: int32(5 * (i / 450))})
	}
	if got, want := p.steps(moments, spec), "M0 200H450V100H900"; got != want {
		t.Errorf("stairs %q, want %q", got, want)
	}
	var hours []string
	for _, m := range p.hours() {
		hours = append(hours, m.Label+" "+m.At)
	}
	if d := cmp.Diff([]string{"00:00 0", "03:00 33.3", "06:00 66.7"}, hours); d != "" {
		t.Errorf("hours (-want +got):\n%s", d)
	}
	for top, want := range map[float64][]float64{1: {0, 0.2, 0.4, 0.6, 0.8, 1}, 10: {0, 2, 4, 6, 8, 10}, 7: {0, 2, 4, 6}, 120: {0, 50, 100}} {
		if d := cmp.Diff(want, ticksOf(top)); d != "" {
			t.Errorf("marks to %v (-want +got):\n%s", top, d)
		}
	}
}

// TestColumns: in a short run a value lasts to the next moment, and no longer where
// that has none.
func TestColumns(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	p := plot{from: from, to: from.Add(9 * time.Minute), top: 10}
	var moments []moment
	for i, v := range []float32{-1, 5, 5, -1, -1, 7, -1, -1, -1} {
		moments = append(moments, moment{at: from.Add(time.Duration(i) * time.Minute), waiting: v})
	}
	all := p.columns(moments, func(m moment) float64 {
		if m.waiting < 0 {
			return math.NaN()
		}
		return float64(m.waiting)
	}, math.Max)
	for x, v := range all {
		if want := map[int]float64{1: 5, 2: 5, 5: 7}[x/100]; v != want && !(want == 0 && math.IsNaN(v)) {
			t.Fatalf("column %d is %v, want %v, 0 for none", x, v, want)
		}
	}
}

// TestHistory: the work that was recorded becomes the demand, gaps are bridged and
// told of, and so is a fleet that was saturated.
func TestHistory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		prom := newPrometheus(t)
		start := time.Now()
		for k := range 60 {
			at := start.Add(time.Duration(k) * interval)
			switch {
			case k >= 20 && k < 24: // no scrape, longer than a sample is found for
			case k >= 50:
				prom.put(t, "zmy", at, 0)
			default:
				prom.put(t, "zmy", at, 0.75)
			}
			prom.put(t, "ready", at, 8)
			prom.put(t, "queue", at, float64(k))
		}
		<-time.After(time.Hour)
		p := plan(t, strings.Replace(plainManifest, "zmyQuery: zmy", "zmyQuery: 'last_over_time(zmy[15s])'", 1))
		h, err := Fetch(t.Context(), prom.source(t), p, Span{From: start, To: start.Add(59 * interval), ReplicasQuery: "ready"})
		if err != nil {
			t.Fatal(err)
		}
		if len(h.Demand.Busy) != 60 || h.Unknown != 4 || h.Clipped != 10 {
			t.Fatalf("%d steps, %d unknown, %d clipped", len(h.Demand.Busy), h.Unknown, h.Clipped)
		}
		for i, busy := range h.Demand.Busy {
			if want := map[bool]float64{true: 8, false: 2}[i >= 50]; math.Abs(busy-want) > 1e-9 {
				t.Errorf("step %d: %v busy, want %v", i, busy, want)
			}
		}
		if g := h.Recorded.Guard; len(g) != 60 || g[5].Value != 0 || g[6].Value != 1 || h.Recorded.CPU != nil {
			t.Errorf("guard %+v", g)
		}
		if notes := p.WithHistory(h).Notes; len(notes) != 2 {
			t.Errorf("notes %q", notes)
		}
		r, err := Run(t.Context(), p, p.Loop(h.Demand, &h.Recorded, Environment{StartDelay: 40 * time.Second, QueryOffset: 5 * time.Second}), Options{})
		if err != nil || r.Steps != 59 || r.Result.Changes == 0 {
			t.Errorf("replayed %+v, %v", r, err)
		}
		failures(t, prom, p, start)
	})
}

func failures(t *testing.T, prom prometheus, p *Plan, start time.Time) {
	t.Helper()
	source := prom.source(t)
	for _, tt := range []struct {
		name  string
		span  Span
		wrong string
	}{
		{name: "no workers", span: Span{From: start, To: start.Add(time.Minute)}, wrong: "--replicas-query"},
		{name: "workers that do not parse", span: Span{From: start, To: start.Add(time.Minute), ReplicasQuery: "ready{"}, wrong: "--replicas-query"},
		{name: "backwards", span: Span{From: start, To: start.Add(-time.Minute), ReplicasQuery: "ready"}, wrong: "ends at"},
		{name: "between two instants", span: Span{From: start.Add(time.Second), To: start.Add(2 * time.Second), ReplicasQuery: "ready"}, wrong: "0 instants"},
		{name: "for ever", span: Span{From: start, To: start.Add(100 * 365 * 24 * time.Hour), ReplicasQuery: "ready"}, wrong: "at most"},
		{name: "before anything was recorded", span: Span{From: start.Add(-48 * time.Hour), To: start.Add(-47 * time.Hour), ReplicasQuery: "ready"}, wrong: ErrNothing.Error()},
		{name: "several series", span: Span{From: start, To: start.Add(time.Minute), ReplicasQuery: `{__name__=~"zmy|ready"}`}, wrong: ErrNothing.Error()},
	} {
		if _, err := Fetch(t.Context(), source, p, tt.span); err == nil || !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s: %v, want a word about %q", tt.name, err, tt.wrong)
		}
	}
}

// TestFetchInPages: a long history is asked for in pages, and its progress told.
func TestFetchInPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		prom := newPrometheus(t)
		start := time.Now()
		prom.put(t, "zmy", start, 0.5)
		prom.put(t, "ready", start, 8)
		var told []float64
		_, err := Fetch(t.Context(), prom.source(t), plan(t, plainManifest), Span{
			From: start, To: start.Add(20_000 * interval), ReplicasQuery: "ready", Progress: func(s float64) { told = append(told, s) },
		})
		if err != nil || len(told) != 6 || math.Abs(told[5]-1) > 1e-9 {
			t.Errorf("told %v, %v", told, err)
		}
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := plan(t, plainManifest)
	if _, err := Run(ctx, p, p.Loop(hours(), nil, Environment{}), Options{Compare: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNoDemand(t *testing.T) {
	t.Parallel()
	p := plan(t, plainManifest)
	if _, err := Run(t.Context(), p, p.Loop(simulate.Demand{}, nil, Environment{}), Options{Compare: true}); !errors.Is(err, simulate.ErrNoDemand) {
		t.Errorf("got %v", err)
	}
	if n := p.Begin(simulate.Demand{Busy: []float64{1e12}, Step: 1}); n != 30 {
		t.Errorf("a fleet begins with %d", n)
	}
	if p.WithoutHistory().Trigger.Policy.HasGuard || !p.Trigger.Policy.HasGuard {
		t.Error("a demand curve has a guard, or the plan lost its own")
	}
}
