package trigger_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

var server = trigger.Server{Interval: 15 * time.Second}

// with returns the smallest valid metadata, changed. An empty value removes a key.
func with(changes map[string]string) map[string]string {
	m := map[string]string{"scalerAddress": "zmy:6000", "zmyQuery": `avg(zmy{job="payment"})`}
	for k, v := range changes {
		m[k] = v
		if v == "-" {
			delete(m, k)
		}
	}
	return m
}

func TestParseDefaults(t *testing.T) {
	t.Parallel()
	got, err := trigger.Parse(with(nil), server)
	if err != nil {
		t.Fatal(err)
	}
	grid, err := zmy.NewGrid(15 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := decision.Policy{
		Grid: grid, Up: 0.3, Down: 0.9, Inactive: 0.95,
		DownDelay: 5 * time.Minute, Target: 0.3, TargetMilli: 30000,
		CPUTarget: 0.7, CPUWeight: 0.5,
		Lookback: 15 * time.Second, MaxStaleness: time.Minute, HoldFor: 10 * time.Minute,
	}
	if diff := cmp.Diff(want, got.Policy, cmp.AllowUnexported(zmy.Grid{})); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if got.Source != "default" || got.MetricName != "zmy" || got.Target != 30 || got.MetricTypeGiven || got.ToleranceGiven {
		t.Errorf("got %+v", got)
	}
}

func TestParseValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		set  map[string]string
		got  func(*trigger.Trigger) any
		want any
	}{
		{name: "seconds", set: map[string]string{"scaleDownDelay": "90"}, got: func(t *trigger.Trigger) any { return t.Policy.DownDelay }, want: 90 * time.Second},
		{name: "fractions of a second", set: map[string]string{"scaleDownDelay": "0.5"}, got: func(t *trigger.Trigger) any { return t.Policy.DownDelay }, want: 500 * time.Millisecond},
		{name: "a Go duration", set: map[string]string{"scaleUpDelay": "1m30s"}, got: func(t *trigger.Trigger) any { return t.Policy.UpDelay }, want: 90 * time.Second},
		{name: "a Prometheus duration", set: map[string]string{"scaleUpDelay": "1d"}, got: func(t *trigger.Trigger) any { return t.Policy.UpDelay }, want: 24 * time.Hour},
		{name: "space around a value", set: map[string]string{"scaleUpThreshold": " 0.2 "}, got: func(t *trigger.Trigger) any { return t.Policy.Up }, want: 0.2},
		{name: "lookback from the query", set: map[string]string{"zmyQuery": `avg_over_time(zmy{job="payment"}[5m])`}, got: func(t *trigger.Trigger) any { return t.Policy.Lookback }, want: 5 * time.Minute},
		{name: "lookback given", set: map[string]string{"zmyLookback": "2m"}, got: func(t *trigger.Trigger) any { return t.Policy.Lookback }, want: 2 * time.Minute},
		{name: "staleness follows the interval", set: map[string]string{"interval": "1m"}, got: func(t *trigger.Trigger) any { return t.Policy.MaxStaleness }, want: 3 * time.Minute},
		{name: "own interval", set: map[string]string{"interval": "45"}, got: func(t *trigger.Trigger) any { return t.Policy.Grid.Interval() }, want: 45 * time.Second},
		{name: "mode", set: map[string]string{"scaleDownMode": "proportional"}, got: func(t *trigger.Trigger) any { return t.Policy.Mode }, want: decision.Proportional},
		{name: "metric type", set: map[string]string{"metricType": "Value"}, got: func(t *trigger.Trigger) any { return [2]any{t.MetricType, t.MetricTypeGiven} }, want: [2]any{decision.Value, true}},
		{name: "shadow", set: map[string]string{"mode": "shadow"}, got: func(t *trigger.Trigger) any { return t.Policy.Shadow }, want: true},
		{name: "landing", set: map[string]string{"gracefulLanding": "true"}, got: func(t *trigger.Trigger) any { return t.Policy.GracefulLanding }, want: true},
		{name: "error on no data", set: map[string]string{"onNoData": "error"}, got: func(t *trigger.Trigger) any { return t.Policy.ErrorOnNoData }, want: true},
		{name: "tolerance", set: map[string]string{"hpaTolerance": "0.05"}, got: func(t *trigger.Trigger) any { return t.Tolerance }, want: decision.Tolerance{Down: 0.05, Up: 0.05}},
		{name: "the target as the HPA sees it", set: map[string]string{"triggerThreshold": "33.3335"}, got: func(t *trigger.Trigger) any { return t.Policy.TargetMilli }, want: int64(33334)},
		{name: "from the environment", set: map[string]string{"zmyQuery": "-", "zmyQueryFromEnv": "zmy"}, got: func(t *trigger.Trigger) any { return t.Queries[zmy.Yield] }, want: "zmy"},
		{name: "KEDA's own keys are ignored", set: map[string]string{"enableTLS": "true", "unsafeSsl": "false", "scalerAddressFromEnv": "x"}, got: func(t *trigger.Trigger) any { return t.Source }, want: "default"},
		{name: "a guard with bool", set: map[string]string{"guardQuery": "sum(waiting) > bool 0"}, got: func(t *trigger.Trigger) any { return t.Policy.HasGuard }, want: true},
		{name: "cpu", set: map[string]string{"cpuQuery": "avg(cpu)", "cpuWeight": "1"}, got: func(t *trigger.Trigger) any { return [2]any{t.Policy.HasCPU, t.Policy.CPUWeight} }, want: [2]any{true, 1.0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := with(tt.set)
			delete(m, "scalerAddress")
			trig, err := trigger.Parse(m, server)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tt.got(trig)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		set  map[string]string
		want []string
	}{
		{name: "no query", set: map[string]string{"zmyQuery": "-"}, want: []string{`zmyQuery: is required: PromQL giving one value between 0 (saturated) and 1 (idle)`}},
		{name: "an empty query", set: map[string]string{"zmyQuery": ""}, want: []string{`zmyQuery: is empty: leave the key out, or give it a value`}},
		{name: "up above down", set: map[string]string{"scaleUpThreshold": "0.95"}, want: []string{`scaleUpThreshold "0.95": must be below scaleDownThreshold "0.9"`}},
		{name: "down above inactive", set: map[string]string{"scaleDownThreshold": "0.97"}, want: []string{`scaleDownThreshold "0.97": must not be above inactiveThreshold "0.95"`}},
		{name: "target too low", set: map[string]string{"triggerThreshold": "10"}, want: []string{`triggerThreshold "10": must be above 10 and below 70, which is 100 x (1 - scaleDownThreshold "0.9") and 100 x (1 - scaleUpThreshold "0.3"), so that a fleet sized to it lands in the hold band`}},
		{name: "target too high", set: map[string]string{"triggerThreshold": "70"}, want: []string{`triggerThreshold "70": must be above 10 and below 70, which is 100 x (1 - scaleDownThreshold "0.9") and 100 x (1 - scaleUpThreshold "0.3"), so that a fleet sized to it lands in the hold band`}},
		{name: "default target outside narrow bands", set: map[string]string{"scaleUpThreshold": "0.8"}, want: []string{`triggerThreshold "30": must be above 10 and below 20, which is 100 x (1 - scaleDownThreshold "0.9") and 100 x (1 - scaleUpThreshold "0.8"), so that a fleet sized to it lands in the hold band`}},
		{name: "not a number", set: map[string]string{"scaleUpThreshold": "low"}, want: []string{`scaleUpThreshold "low": must be a number between 0 and 1`}},
		{name: "a very long value", set: map[string]string{"scaleUpThreshold": strings.Repeat("x", 2000)}, want: []string{`scaleUpThreshold "` + strings.Repeat("x", 1024) + `...": must be a number between 0 and 1`}},
		{name: "NaN", set: map[string]string{"scaleUpThreshold": "NaN"}, want: []string{`scaleUpThreshold "NaN": must be a number between 0 and 1`}},
		{name: "a percentage", set: map[string]string{"scaleDownThreshold": "90"}, want: []string{`scaleDownThreshold "90": must be a number between 0 and 1`}},
		{name: "a negative delay", set: map[string]string{"scaleDownDelay": "-5"}, want: []string{`scaleDownDelay "-5": must not be negative`}},
		{name: "a delay in words", set: map[string]string{"scaleDownDelay": "five minutes"}, want: []string{`scaleDownDelay "five minutes": must be a number of seconds, or a duration such as 90s or 5m`}},
		{name: "a delay of a year", set: map[string]string{"scaleDownDelay": "1y"}, want: []string{`scaleDownDelay "1y": must not be longer than 31d`}},
		{name: "an infinite delay", set: map[string]string{"scaleDownDelay": "Inf"}, want: []string{`scaleDownDelay "Inf": must be a number of seconds, or a duration such as 90s or 5m`}},
		{name: "a window too long", set: map[string]string{"scaleDownDelay": "30d"}, want: []string{`scaleDownDelay "30d": the window would hold 172809 instants 15s apart, and at most 20000 are kept: shorten it, or lengthen the interval`}},
		{name: "a query that looks back too far", set: map[string]string{"zmyQuery": "max_over_time(avg_over_time(x[292y])[1y:1h])"}, want: []string{`zmyQuery "max_over_time(avg_over_time(x[292y])[1y:1h])": must not look back for longer than 31d`}},
		{name: "an unknown mode", set: map[string]string{"scaleDownMode": "fast"}, want: []string{`scaleDownMode "fast": must be "safe", "floor" or "proportional"`}},
		{name: "an unknown metric type", set: map[string]string{"metricType": "Utilization"}, want: []string{`metricType "Utilization": must be "AverageValue" or "Value"`}},
		{name: "neither true nor false", set: map[string]string{"gracefulLanding": "yes"}, want: []string{`gracefulLanding "yes": must be "false" or "true"`}},
		{name: "a weight without cpu", set: map[string]string{"cpuWeight": "0.5"}, want: []string{`cpuWeight "0.5": needs cpuQuery: there is no CPU to weigh`}},
		{name: "no multiple of the interval", set: map[string]string{"interval": "20s"}, want: []string{`interval "20s": must be a multiple of the server's interval 15s`}},
		{name: "staleness below the interval", set: map[string]string{"maxStaleness": "10s"}, want: []string{`maxStaleness "10s": must be at least the interval, 15s: no sample would ever be fresh`}},
		{name: "a zero interval", set: map[string]string{"interval": "0"}, want: []string{`interval "0": must be longer than 0`}},
		{name: "a misspelt key", set: map[string]string{"scaleUpTreshold": "0.2"}, want: []string{`scaleUpTreshold "0.2": unknown key; did you mean "scaleUpThreshold"?`}},
		{name: "a misspelt key from the environment", set: map[string]string{"zmyqueryFromEnv": "x"}, want: []string{`zmyqueryFromEnv "x": unknown key; did you mean "zmyQuery"?`}},
		{name: "a key given twice", set: map[string]string{"metricNameFromEnv": "a", "metricName": "b"}, want: []string{`metricName: given twice, as metricName and metricNameFromEnv: keep one`}},
		{name: "a secret is not repeated", set: map[string]string{"bearerToken": "hunter2"}, want: []string{`bearerToken: looks like a secret, and trigger metadata is plain text: put credentials into the source's http settings in the scaler's configuration`}},
		{name: "a secret from the environment", set: map[string]string{"passwordFromEnv": "hunter2"}, want: []string{`passwordFromEnv: looks like a secret, and trigger metadata is plain text: put credentials into the source's http settings in the scaler's configuration`}},
		{name: "a bare comparison", set: map[string]string{"guardQuery": "sum(waiting) > 0"}, want: []string{`guardQuery "sum(waiting) > 0": a bare comparison gives nothing when it is false, which reads as missing data: compare with bool, as in "> bool 0"`}},
		{name: "a metric name with a space", set: map[string]string{"metricName": "my metric"}, want: []string{`metricName "my metric": must be letters, digits, "-", "_" and ".", at most 100, beginning with a letter or digit`}},
		{name: "a tolerance of one", set: map[string]string{"hpaTolerance": "1"}, want: []string{`hpaTolerance "1": must be a number from 0 to below 1`}},
		{
			name: "all at once",
			set: map[string]string{
				"zmyQuery": "-", "scaleUpThreshold": "x", "scaleDownThreshold": "0.97", "onNoData": "zero", "colour": "red",
			},
			want: []string{
				`scaleUpThreshold "x": must be a number between 0 and 1`,
				`onNoData "zero": must be "hold" or "error"`,
				`zmyQuery: is required: PromQL giving one value between 0 (saturated) and 1 (idle)`,
				`scaleDownThreshold "0.97": must not be above inactiveThreshold "0.95"`,
				`colour "red": unknown key; did you mean "holdFor"?`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := trigger.Parse(with(tt.set), server)
			faults, ok := errors.AsType[trigger.Faults](err)
			if !ok {
				t.Fatalf("got %v, want Faults", err)
			}
			got := make([]string, len(faults))
			for i, f := range faults {
				got[i] = f.String()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Error("the error repeats a secret")
			}
		})
	}
}

func TestParseQueryFaultNamesThePlace(t *testing.T) {
	t.Parallel()
	_, err := trigger.Parse(with(map[string]string{"zmyQuery": "avg(zmy", "wakeQuery": "lag[5m]"}), server)
	if err == nil || !strings.Contains(err.Error(), `zmyQuery "avg(zmy": `) || !strings.Contains(err.Error(), `wakeQuery "lag[5m]": `) || !strings.Contains(err.Error(), "range vector") {
		t.Errorf("got %v", err)
	}
}

// TestTableIsWhole: every key is documented, literal defaults are valid, and
// choices are what the parser takes.
func TestTableIsWhole(t *testing.T) {
	t.Parallel()
	reference := trigger.Reference()
	schema, err := trigger.Schema()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Properties map[string]struct {
			Type string
			Enum []string
		}
	}
	if err := json.Unmarshal(schema, &doc); err != nil {
		t.Fatal(err)
	}
	for _, k := range trigger.Keys() {
		if k.Doc == "" || !strings.Contains(reference, "`"+k.Name+"`") || doc.Properties[k.Name].Type != "string" {
			t.Errorf("%s is not documented", k.Name)
		}
		extra := map[string]string{"cpuQuery": "avg(cpu)"}
		if k.Literal {
			if _, err := trigger.Parse(with(merge(extra, map[string]string{k.Name: k.Default})), server); err != nil {
				t.Errorf("the default of %s is refused: %v", k.Name, err)
			}
		}
		for _, c := range k.Choices {
			if _, err := trigger.Parse(with(map[string]string{k.Name: c}), server); err != nil {
				t.Errorf("%s does not take %q: %v", k.Name, c, err)
			}
		}
	}
}

func merge(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func FuzzParse(f *testing.F) {
	for _, k := range trigger.Keys() {
		f.Add(k.Name, "1", "scaleDownDelay", "5m")
	}
	f.Add("triggerThreshold", "1e-300", "interval", "1e300")
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		m := with(map[string]string{k1: v1, k2: v2})
		trig, err := trigger.Parse(m, server)
		if err != nil {
			if faults, ok := errors.AsType[trigger.Faults](err); !ok || len(faults) == 0 {
				t.Fatalf("not a list of faults: %v", err)
			}
			return
		}
		p := trig.Policy
		switch {
		case p.Up >= p.Down, p.Down > p.Inactive, p.Inactive > 1, p.Up < 0:
			t.Fatalf("bands out of order: %+v", p)
		case p.Target <= 1-p.Down, p.Target >= 1-p.Up, p.TargetMilli <= 0:
			t.Fatalf("target out of the hold band: %+v", p)
		case p.Ticks() > trigger.MaxWindow, p.Lookback <= 0, p.MaxStaleness < p.Grid.Interval():
			t.Fatalf("window: %+v", p)
		case p.HasCPU && p.CPUTarget <= 0:
			t.Fatalf("cpu target: %+v", p)
		}
	})
}
