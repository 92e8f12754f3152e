package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

func withEnforcedLabel(label string) option {
	return func(cfg *engine.Config) {
		source := cfg.Sources["default"]
		source.EnforceLabel = label
		cfg.Sources["default"] = source
	}
}

// TestTenants: triggers of two namespaces with the same metadata see the series of
// their own namespace each.
func TestTenants(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		yields := map[string]float64{"shop": 0.5, "bank": 0.25}
		for namespace, yield := range yields {
			for name, v := range map[string]float64{"zmy": yield, "workers": 4} {
				for ago := 20 * time.Minute; ago >= 0; ago -= 15 * time.Second {
					metric := labels.FromStrings(model.MetricNameLabel, name, "namespace", namespace)
					if err := prom.db.Append(t.Context(), promembed.Sample{Labels: metric, T: time.Now().Add(-ago), V: v}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		r := newRig(t, prom, withEnforcedLabel("namespace"))
		for range 3 {
			for namespace, yield := range yields {
				a, err := r.engine.Answer(t.Context(), engine.Call{Namespace: namespace, Name: "payment", Metadata: metadata()})
				if err != nil || !a.Decision.Yield.OK || a.Decision.Yield.Value != yield {
					t.Errorf("%s: the yield is %+v, %v; want %v", namespace, a.Decision.Yield, err, yield)
				}
				if want := `zmy{namespace="` + namespace + `"}`; a.Trigger.Queries[zmy.Yield] != want {
					t.Errorf("%s asks %s, want %s", namespace, a.Trigger.Queries[zmy.Yield], want)
				}
			}
			pass(15 * time.Second)
		}
	})
}

// TestTenantsAreRefused: no trigger gets in that asks for another namespace, or
// that comes from none.
func TestTenantsAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		r := newRig(t, prom, withEnforcedLabel("namespace"))
		other := callFor(metadata("zmyQuery", `zmy{namespace="bank"}`, "guardQueryFromEnv", `sum(x{namespace=~"b.*"}) > bool 0`))
		_, err := r.engine.Answer(t.Context(), other)
		faults, ok := errors.AsType[trigger.Faults](err)
		if !ok || len(faults) != 2 || faults[0].Key != "zmyQuery" || faults[1].Key != "guardQueryFromEnv" {
			t.Errorf("another namespace: %v, want a fault of zmyQuery and one of guardQueryFromEnv", err)
		}
		nobody := callFor(metadata())
		nobody.Namespace = ""
		if _, err := r.engine.Watch(nobody); !is[trigger.Faults](err) {
			t.Errorf("no namespace: %v", err)
		}
		if n := r.engine.Len(); n != 0 {
			t.Errorf("%d refused triggers are kept", n)
		}
		if n := prom.asked(); n != 0 {
			t.Errorf("refused triggers cost %d requests", n)
		}
	})
}
