package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// bubble runs a test in synthetic time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// TestFirstAnswerIsMatured: a scaler that has just started decides as one that
// was there all the time.
func TestFirstAnswerIsMatured(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		idle   time.Duration
		active bool
		reason decision.Reason
	}{
		{name: "idle for 20 minutes", idle: 20 * time.Minute, reason: decision.NothingToDo},
		{name: "idle for 290 s of 300", idle: 290 * time.Second, active: true, reason: decision.IdlePending},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				prom := newPrometheus(t)
				pass(20 * time.Minute)
				for ago := 30 * time.Minute; ago >= 0; ago -= 5 * time.Second {
					v := 0.5
					if ago <= tt.idle+5*time.Second {
						v = 0.97
					}
					prom.putAt("zmy", time.Now().Add(-ago), v)
				}
				prom.fill("workers", 30*time.Minute, 5)
				a := newRig(t, prom).ask(metadata())
				if a.Told.Active != tt.active || a.Told.Reason != tt.reason {
					t.Errorf("active %v, %v; want %v, %v\n%+v", a.Told.Active, a.Told.Reason, tt.active, tt.reason, a.Decision)
				}
			})
		})
	}
}

// TestCallsCostNothing: how often KEDA calls does not change what Prometheus is
// asked: per interval, one request for all queries of a trigger.
func TestCallsCostNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		prom.fill("zmy", 20*time.Minute, 0.5)
		prom.fill("workers", 20*time.Minute, 5)
		r := newRig(t, prom)
		r.ask(metadata())
		if n := prom.asked(); n != 1 {
			t.Errorf("the first call cost %d requests, want one range query for both queries", n)
		}
		for range 8 {
			for range 100 {
				r.ask(metadata())
			}
			pass(15 * time.Second)
		}
		if n := prom.asked(); n != 8 {
			t.Errorf("8 intervals cost %d requests, want 8", n)
		}
	})
}

// TestRestartChangesNothing runs an engine through outages of its own, and
// compares each decision with that of an engine that has just started.
func TestRestartChangesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 9))
				prom := newPrometheus(t)
				flaky := &prometheus{t: t, db: prom.db}
				old := newRig(t, flaky)
				m := metadata("guardQuery", "guard", "cpuQuery", "cpu", "scaleDownDelay", "60", "scaleUpDelay", "15", "zmyLookback", "1m", "zmyQuery", "avg_over_time(zmy[1m])")
				level, compared := 0.5, 0
				for i := range 240 {
					if rng.IntN(25) == 0 {
						level = rng.Float64()
					}
					if rng.IntN(20) > 0 {
						prom.put("zmy", level)
					}
					prom.put("workers", float64(1+i%7))
					prom.put("guard", float64(rng.IntN(30)/29))
					prom.put("cpu", rng.Float64())
					switch rng.IntN(12) {
					case 0:
						flaky.suffer(status(http.StatusInternalServerError))
					case 1, 2, 3:
						flaky.suffer(nil)
					}
					pass(5 * time.Second)
					if flaky.healthy() && i%6 == 5 {
						// The old one may have just missed this instant: let it see the next.
						pass(15 * time.Second)
						before := old.ask(m)
						fresh := newRig(t, prom)
						after := fresh.ask(m)
						fresh.stop()
						compared++
						if before.Decision != after.Decision || before.Told != after.Told {
							t.Fatalf("step %d: the old scaler says\n%+v\n%+v\na new one\n%+v\n%+v", i, before.Told, before.Decision, after.Told, after.Decision)
						}
					}
				}
				if compared < 10 {
					t.Errorf("only %d comparisons", compared)
				}
			})
		})
	}
}

func (p *prometheus) healthy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault == nil
}

// TestHarm: whatever happens to the source, nothing scales down, nothing goes
// inactive, and no call fails within holdFor.
func TestHarm(t *testing.T) {
	t.Parallel()
	const ok = `{"status":"success","data":{"resultType":"vector","result":[`
	faults := []struct {
		name  string
		fault func(*http.Request) (*http.Response, error)
	}{
		{name: "500", fault: status(http.StatusInternalServerError)},
		{name: "404", fault: status(http.StatusNotFound)},
		{name: "hang", fault: hang},
		{name: "garbage", fault: body("<html>")},
		{name: "cut short", fault: body(ok)},
		{name: "dead", fault: func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }},
		{name: "an error in JSON", fault: body(`{"status":"error","errorType":"execution","error":"boom"}`)},
	}
	for _, tt := range faults {
		for _, from := range []string{"the start", "a while after"} {
			t.Run(tt.name+" from "+from, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					prom := newPrometheus(t)
					// Idle long enough for half of the delay, and on it goes.
					prom.fill("zmy", 150*time.Second, 0.99)
					prom.fill("workers", 20*time.Minute, 5)
					c := newCluster(5)
					r := newRig(t, prom, withCluster(c))
					if from != "the start" {
						r.ask(metadata())
					}
					prom.suffer(tt.fault)
					for range 38 {
						a := r.ask(metadata())
						if a.Told.Value != 30000 || !a.Told.Active || a.Told.NoValue {
							t.Fatalf("told %+v", a.Told)
						}
						pass(15 * time.Second)
						prom.put("zmy", 0.99)
						prom.put("workers", 5)
					}
					pass(time.Minute)
					if a := r.ask(metadata()); !a.Told.NoValue || a.Told.Reason != decision.NoDataTooLong {
						t.Errorf("past holdFor: told %+v", a.Told)
					}
					prom.suffer(nil)
					pass(15 * time.Second)
					if a := r.ask(metadata()); a.Told.Reason != decision.NothingToDo {
						t.Errorf("recovered: told %+v, failure %q", a.Told, a.Failure)
					}
				})
			})
		}
	}
}

// TestDeadlineOfTheFirstCall: a caller with a deadline is answered within it,
// though the source hangs.
func TestDeadlineOfTheFirstCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		prom.suffer(hang)
		r := newRig(t, prom, withCluster(newCluster(5)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		a, err := r.engine.Answer(ctx, callFor(metadata()))
		if took := time.Since(begun); err != nil || took >= time.Second || a.Told.Value != 30000 || !a.Told.Active {
			t.Errorf("after %v: %+v, %v", took, a.Told, err)
		}
	})
}

func TestRefusals(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, newPrometheus(t))
		_, err := r.engine.Answer(t.Context(), callFor(metadata("source", "other")))
		if e, ok := errors.AsType[*engine.UnknownSourceError](err); !ok || e.Source != "other" {
			t.Errorf("an unknown source: %v", err)
		}
		call := callFor(metadata())
		call.Namespace = "outsiders"
		if _, err = r.engine.Answer(t.Context(), call); !is[*engine.ForbiddenSourceError](err) {
			t.Errorf("a forbidden source: %v", err)
		}
		if _, err = r.engine.Answer(t.Context(), callFor(metadata("mode", "x"))); !is[trigger.Faults](err) {
			t.Errorf("a faulty trigger: %v", err)
		}
		if _, err = r.engine.Watch(callFor(metadata("mode", "x"))); !is[trigger.Faults](err) {
			t.Errorf("a faulty trigger: %v", err)
		}
		if n := r.engine.Len(); n != 0 {
			t.Errorf("%d refused triggers are kept", n)
		}
	})
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestMetricType(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		given string
		view  func(*kube.View)
		off   bool
		want  decision.MetricType
		err   func(error) bool
	}{
		{name: "from the ScaledObject", view: func(*kube.View) {}, want: decision.Value},
		{name: "from the metadata", given: "Value", view: func(v *kube.View) { *v = kube.View{} }, want: decision.Value},
		{name: "agreeing", given: "Value", view: func(*kube.View) {}, want: decision.Value},
		{name: "at odds", given: "AverageValue", view: func(*kube.View) {}, err: is[*engine.MetricTypeError]},
		{name: "a conflict", view: func(v *kube.View) { v.MetricTypeKnown, v.MetricTypeConflict = false, true }, err: is[*engine.MetricTypeError]},
		{name: "a conflict settled by the metadata", given: "Value", view: func(v *kube.View) { v.MetricTypeKnown, v.MetricTypeConflict = false, true }, want: decision.Value},
		{name: "Kubernetes is off", off: true, want: decision.AverageValue},
		{name: "no such ScaledObject", view: func(v *kube.View) { *v = kube.View{Known: true} }, want: decision.AverageValue},
		{name: "Kubernetes does not answer", view: func(v *kube.View) { *v = kube.View{} }, err: is[*engine.UnavailableError]},
		{name: "no such trigger", view: func(v *kube.View) { v.MetricTypeKnown = false }, err: is[*engine.UnavailableError]},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var opts []option
				if !tt.off {
					c := newCluster(5)
					c.set(tt.view)
					opts = append(opts, withCluster(c))
				}
				m := metadata()
				if tt.given != "" {
					m["metricType"] = tt.given
				}
				a, err := newRig(t, newPrometheus(t), opts...).engine.Answer(t.Context(), callFor(m))
				switch {
				case tt.err != nil && (err == nil || !tt.err(err) || err.Error() == ""):
					t.Errorf("got %v, %v", a.MetricType, err)
				case tt.err == nil && (err != nil || a.MetricType != tt.want):
					t.Errorf("got %v, %v; want %v", a.MetricType, err, tt.want)
				}
			})
		})
	}
}

// TestMetricTypeOutlivesAnEdit: KEDA goes on with the old metadata for a moment.
func TestMetricTypeOutlivesAnEdit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newCluster(5)
		r := newRig(t, newPrometheus(t), withCluster(c))
		r.ask(metadata())
		c.set(func(v *kube.View) { v.MetricTypeKnown = false })
		if a := r.ask(metadata()); a.MetricType != decision.Value {
			t.Errorf("got %v, want the type of before the edit", a.MetricType)
		}
	})
}

// TestLiveCounts: the value is encoded from the counts at the time of the call.
func TestLiveCounts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		prom.fill("zmy", 20*time.Minute, 0.2)
		c := newCluster(10)
		r := newRig(t, prom, withCluster(c))
		m := metadata("replicasQuery", "-")
		if a := r.ask(m); a.Told.Replicas != 27 || a.Told.Value != 81000 {
			t.Fatalf("told %+v", a.Told)
		}
		c.set(func(v *kube.View) { v.Fleet.Spec.N, v.Fleet.Status.N = 27, 27 })
		if a := r.ask(m); a.Told.Value != 30000 {
			t.Errorf("the HPA has acted, and is told %+v", a.Told)
		}
		// New pods are not ready yet, and the yield is as it was.
		pass(20 * time.Second)
		prom.put("zmy", 0.2)
		pass(20 * time.Second)
		if a := r.ask(m); a.Told.Value != 30000 || a.Told.Reason != decision.WorkersStarting {
			t.Errorf("a settling step is compounded: %+v", a.Told)
		}
	})
}

// TestUnseenScale: without replicasQuery a restart does not know the workers of
// before, and says so when it matters.
func TestUnseenScale(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		prom.fill("zmy", 20*time.Minute, 0.2)
		c := newCluster(10)
		c.set(func(v *kube.View) {
			v.UID, v.HPA, v.LastScale = "uid-1", "keda-hpa-payment", time.Now().Add(-30*time.Second)
		})
		r := newRig(t, prom, withCluster(c))
		m := metadata("replicasQuery", "-", "zmyLookback", "5m")
		if a := r.ask(m); a.Told.Reason != decision.HistoryUnknown || a.Told.Value != 30000 {
			t.Errorf("told %+v", a.Told)
		}
		if a := r.ask(metadata("zmyLookback", "5m")); a.Told.Reason == decision.HistoryUnknown {
			t.Errorf("with replicasQuery nothing is unknown: %+v", a.Told)
		}
		for range 8 {
			pass(15 * time.Second)
			prom.put("zmy", 0.2)
		}
		if a := r.ask(m); a.Told.Reason != decision.Saturated {
			t.Errorf("two minutes later: %+v", a.Told)
		}
		// An edited trigger begins to count anew. Of the others none does.
		c.set(func(v *kube.View) { v.LastScale = time.Now().Add(-10 * time.Second) })
		if a := r.ask(metadata("replicasQuery", "-", "zmyLookback", "5m", "scaleDownDelay", "7m")); a.Told.Reason != decision.HistoryUnknown || a.Told.Value != 30000 {
			t.Errorf("after an edit: %+v", a.Told)
		}
		if a := r.ask(m); a.Told.Reason != decision.Saturated {
			t.Errorf("the trigger of before: %+v", a.Told)
		}
	})
}

// TestZeroAndBack: missing data at zero is no fault, and the clock of missing
// data begins anew when the fleet has left zero.
func TestZeroAndBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		c := newCluster(0)
		r := newRig(t, prom, withCluster(c))
		m := metadata("wakeQuery", "lag", "replicasQuery", "-")
		r.ask(m)
		for range 8 {
			pass(5 * time.Minute)
			if a := r.ask(m); a.Told.Active || a.Told.NoValue || a.Told.Reason != decision.AbsentAtZero {
				t.Fatalf("at zero: %+v", a.Told)
			}
		}
		prom.put("lag", 3)
		pass(20 * time.Second)
		if a := r.ask(m); !a.Told.Active || a.Told.Reason != decision.WokenByQuery {
			t.Fatalf("woken: %+v", a.Told)
		}
		c.set(func(v *kube.View) { v.Fleet.Spec.N = 1 })
		pass(5 * time.Minute)
		if a := r.ask(m); a.Told.NoValue || !a.Told.Active || a.Told.Reason != decision.FirstYieldPending {
			t.Errorf("no yield yet: %+v", a.Told)
		}
		pass(6 * time.Minute)
		if a := r.ask(m); !a.Told.NoValue {
			t.Errorf("no yield at all: %+v", a.Told)
		}
	})
}

func TestForget(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newCluster(5)
		r := newRig(t, newPrometheus(t), withCluster(c))
		r.ask(metadata())
		r.ask(metadata("metricName", "other"))
		w, err := r.engine.Watch(callFor(metadata("metricName", "other")))
		if err != nil {
			t.Fatal(err)
		}
		pass(9 * time.Minute)
		if n := r.engine.Len(); n != 2 {
			t.Errorf("%d triggers after 9 minutes, want 2", n)
		}
		pass(2 * time.Minute)
		if n := len(r.engine.List()); n != 1 || len(c.forgot) != 0 {
			t.Errorf("%d triggers, forgot %v; want the watched one, and its object known", n, c.forgot)
		}
		w.Close()
		pass(11 * time.Minute)
		if n := r.engine.Len(); n != 0 || len(c.forgot) != 1 {
			t.Errorf("%d triggers, forgot %v; want none, and the object forgotten", n, c.forgot)
		}
	})
}

func TestWatch(t *testing.T) {
	bubble(t, func(t *testing.T) {
		prom := newPrometheus(t)
		r := newRig(t, prom, withCluster(newCluster(5)))
		w, err := r.engine.Watch(callFor(metadata()))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if _, err := w.Answer(t.Context()); err != nil {
			t.Fatal(err)
		}
		changed, begun := w.Changed(), time.Now()
		<-changed
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("the next evaluation came after %v", took)
		}
	})
}

// TestOneSourceHangs: another source's triggers are evaluated all the same, also when
// a round may take until the next instant.
func TestOneSourceHangs(t *testing.T) {
	t.Parallel()
	for _, timeout := range []time.Duration{10 * time.Second, 15 * time.Second} {
		t.Run(timeout.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) { oneSourceHangs(t, timeout) })
		})
	}
}

func oneSourceHangs(t *testing.T, timeout time.Duration) {
	t.Helper()
	good, bad := newPrometheus(t), newPrometheus(t)
	bad.suffer(hang)
	other := newRig(t, bad)
	r := newRig(t, good, withCluster(newCluster(5)), func(cfg *engine.Config) {
		cfg.Sources["bad"] = other.source()
		cfg.Timeout = timeout
	})
	r.ask(metadata())
	for i := range 20 {
		go func() {
			_, _ = r.engine.Answer(t.Context(), callFor(metadata("source", "bad", "metricName", fmt.Sprint("m", i))))
		}()
	}
	pass(time.Minute)
	good.asked()
	for range 4 {
		begun := time.Now()
		a := r.ask(metadata())
		if took := time.Since(begun); took != 0 {
			t.Errorf("an answer from memory took %v", took)
		}
		if age := time.Since(a.Decision.At); age > 36*time.Second {
			t.Errorf("the decision is %v old", age)
		}
		pass(15 * time.Second)
	}
	if n := good.asked(); n != 4 {
		t.Errorf("the good source had %d requests in 4 intervals, want 4", n)
	}
	if !r.engine.Alive() {
		t.Error("a hanging source makes the scaler look dead")
	}
}

func (r *rig) source() engine.Source {
	return engine.Source{Querier: r.querier, MaxConcurrency: 2, Allows: func(string) bool { return true }}
}

func TestAlive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRig(t, newPrometheus(t))
		pass(10 * time.Minute)
		if !r.engine.Alive() {
			t.Error("the loop runs, and is taken for dead")
		}
		r.stop()
		pass(10 * time.Minute)
		if r.engine.Alive() {
			t.Error("the loop has ended, and is taken for alive")
		}
	})
}

func TestNewRefusesBadIntervals(t *testing.T) {
	t.Parallel()
	if _, err := engine.New(t.Context(), engine.Config{}); err == nil {
		t.Error("an engine without an interval")
	}
}
