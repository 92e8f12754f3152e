package engine_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/events"
	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// told collects what people are told.
type told struct {
	mu  sync.Mutex
	all []events.Event
}

// Tell implements engine.Events.
func (l *told) Tell(e events.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, e)
}

// since returns what was told since it was last called.
func (l *told) since() []events.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	return all
}

// reasons are those of events, with what they are about.
func reasons(all []events.Event) []string {
	var list []string
	for _, e := range all {
		list = append(list, string(e.Reason)+" "+e.About)
	}
	return list
}

func withEvents(l *told) option { return func(cfg *engine.Config) { cfg.Events = l } }

func (l *told) want(t *testing.T, want ...string) []events.Event {
	t.Helper()
	all := l.since()
	if diff := cmp.Diff(want, reasons(all)); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	return all
}

// TestBandsAreTold lets a fleet become saturated and recover. Each change is told
// once, with its numbers and the instant it was decided at.
func TestBandsAreTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		prom.fill("zmy", 20*time.Minute, 0.5)
		prom.fill("workers", 20*time.Minute, 5)
		l, c := &told{}, newCluster(5)
		c.set(func(v *kube.View) { v.UID = "u-1" })
		r := newRig(t, prom, withCluster(c), withEvents(l))
		r.ask(metadata())
		pass(15 * time.Second)
		l.want(t) // what is so at first is no change
		prom.put("zmy", 0.2)
		prom.put("workers", 5)
		at := time.Now().Truncate(15 * time.Second)
		pass(45 * time.Second)
		for _, e := range l.want(t, "BandChanged zmy hold scale_up") {
			const message = "metric zmy: scale_up, was hold: the yield is below scaleUpThreshold; yield 0.2; 5 replicas, 14 wanted"
			if e.Message != message || e.UID != "u-1" || e.Namespace != "shop" || e.Name != "payment" {
				t.Errorf("told %+v, want %q", e, message)
			}
			if e.At.Before(at) || e.At.Truncate(15*time.Second) != e.At {
				t.Errorf("told for %v, want the instant of the grid at %v or the next", e.At, at)
			}
		}
		prom.put("zmy", 0.5)
		pass(30 * time.Second)
		l.want(t, "BandChanged zmy scale_up hold")
	})
}

// TestShadowSaysSo lets nobody believe that a fleet in shadow mode is moved.
func TestShadowSaysSo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		prom.fill("zmy", 20*time.Minute, 0.5)
		prom.fill("workers", 20*time.Minute, 5)
		l := &told{}
		r := newRig(t, prom, withCluster(newCluster(5)), withEvents(l))
		r.ask(metadata("mode", "shadow"))
		pass(time.Second)
		prom.put("zmy", 0.2)
		pass(30 * time.Second)
		for _, e := range l.want(t, "BandChanged zmy hold scale_up") {
			if !strings.HasSuffix(e.Message, "; shadow: nothing is moved") {
				t.Errorf("told %q", e.Message)
			}
		}
	})
}

// TestBadDataIsTold takes the data away and gives it back.
func TestBadDataIsTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		prom.fill("zmy", 20*time.Minute, 0.5)
		prom.fill("workers", 20*time.Minute, 5)
		l := &told{}
		r := newRig(t, prom, withCluster(newCluster(5)), withEvents(l))
		r.ask(metadata())
		prom.suffer(status(http.StatusInternalServerError))
		pass(45 * time.Second)
		l.want(t) // still fresh
		pass(5 * time.Minute)
		for _, e := range l.want(t, "DataBad zmy stale_data") {
			if !strings.Contains(e.Message, "older than maxStaleness") || !strings.Contains(e.Message, `source "default": server_error (HTTP status 500)`) {
				t.Errorf("told %q", e.Message)
			}
		}
		prom.suffer(nil)
		prom.put("zmy", 0.5)
		pass(30 * time.Second)
		l.want(t, "DataGood zmy ")

		prom.put("zmy", 50) // a percentage
		r.ask(metadata("metricName", "new"))
		pass(15 * time.Second)
		r.ask(metadata("metricName", "percent", "zmyQuery", "zmy * 100"))
		for _, e := range l.want(t, "DataBad percent bad_data") {
			if !strings.HasSuffix(e.Message, "no usable number: out of range") {
				t.Errorf("told %q", e.Message)
			}
		}
	})
}

// TestRefusalsAreTold tells whose trigger is refused why, in the words of the error.
func TestRefusalsAreTold(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		call   engine.Call
		view   func(*kube.View)
		reason events.Reason
	}{
		{name: "faults", call: callFor(metadata("scaleUpThreshold", "0.95", "cpuWeight", "2")), reason: events.InvalidTrigger},
		{name: "an unknown source", call: callFor(metadata("source", "other")), reason: events.UnknownSource},
		{name: "a forbidden source", call: engine.Call{Namespace: "outsiders", Name: "x", Metadata: metadata()}, reason: events.ForbiddenSource},
		{name: "metric types at odds", call: callFor(metadata("metricType", "AverageValue")), reason: events.InvalidTrigger},
		{
			name: "nothing the owner can mend", call: callFor(metadata()),
			view: func(v *kube.View) { v.MetricTypeKnown, v.Known = false, false },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				prom := newPrometheus(t)
				prom.fill("zmy", time.Minute, 0.5)
				l, c := &told{}, newCluster(5)
				if tt.view != nil {
					c.set(tt.view)
				}
				r := newRig(t, prom, withCluster(c), withEvents(l))
				_, err := r.engine.Answer(t.Context(), tt.call)
				if err == nil {
					t.Fatal("it is not refused")
				}
				var got []events.Event
				for _, e := range l.since() {
					if e.Reason != events.DataBad {
						got = append(got, e)
					}
				}
				if tt.reason == "" {
					if len(got) > 0 {
						t.Errorf("told %+v", got)
					}
					return
				}
				want := []events.Event{{
					Namespace: tt.call.Namespace, Name: tt.call.Name, Reason: tt.reason,
					About: err.Error(), Message: err.Error(), At: time.Now(),
				}}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("told (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestSpecIsRefusedAloud: KEDA asks for the spec first, and for nothing else when
// that is refused.
func TestSpecIsRefusedAloud(t *testing.T) {
	bubble(t, func(t *testing.T) {
		l := &told{}
		r := newRig(t, newPrometheus(t), withCluster(newCluster(5)), withEvents(l))
		if _, err := r.engine.Trigger(callFor(metadata("zmyQuery", "-"))); err == nil {
			t.Fatal("it is not refused")
		}
		if all := l.since(); len(all) != 1 || all[0].Reason != events.InvalidTrigger {
			t.Errorf("told %+v", all)
		}
	})
}

// TestBandIsReadOffTheDecision: what is told to one caller at one moment is not
// what all replicas see.
func TestBandIsReadOffTheDecision(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		prom.fill("zmy", 20*time.Minute, 0.5)
		prom.fill("workers", 20*time.Minute, 5)
		l, c := &told{}, newCluster(5)
		r := newRig(t, prom, withCluster(c), withEvents(l))
		r.ask(metadata())
		c.set(func(v *kube.View) { v.Fleet.Spec = decision.Known(0) })
		if a := r.ask(metadata()); a.Told.Band != decision.ScaleUp {
			t.Fatalf("told %v", a.Told.Band)
		}
		l.want(t)
		pass(15 * time.Second)
		l.want(t, "BandChanged zmy hold scale_up")
	})
}
