package engine_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
)

// fleets are many triggers, and the series they rest on.
type fleets struct {
	*rig

	calls []engine.Call
}

// newFleets makes n triggers, by what makes the metadata of one.
func newFleets(t *testing.T, n int, of func(i int) map[string]string) *fleets {
	t.Helper()
	f := &fleets{rig: newRig(t, newPrometheus(t))}
	for i := range n {
		f.calls = append(f.calls, engine.Call{Namespace: fmt.Sprint("team-", i%20), Name: fmt.Sprint("so-", i), Metadata: of(i)})
	}
	f.scrape()
	return f
}

// sameShape is a trigger that differs from the others in one value.
func sameShape(i int) map[string]string {
	return map[string]string{
		"zmyQuery":      fmt.Sprintf(`avg(avg_over_time(zmy{job="job-%d"}[1m]))`, i),
		"replicasQuery": fmt.Sprintf(`sum(workers{job="job-%d"})`, i),
	}
}

// ownShape is a trigger whose query looks like no other's.
func ownShape(i int) map[string]string {
	return map[string]string{"zmyQuery": fmt.Sprintf(`avg(avg_over_time(zmy{job="job-%d"}[1m])) / %d`, i, i+1)}
}

// yieldOf is the yield of a trigger's fleet: 0, 0.001 and so on up to 1, and again.
func yieldOf(i int) float64 { return float64(i%1001) / 1000 }

// scrape stores a sample of every series.
func (f *fleets) scrape() {
	f.t.Helper()
	var all []promembed.Sample
	for i := range f.calls {
		job := fmt.Sprint("job-", i)
		all = append(all,
			promembed.Sample{Labels: labels.FromStrings("__name__", "zmy", "job", job), T: time.Now(), V: yieldOf(i)},
			promembed.Sample{Labels: labels.FromStrings("__name__", "workers", "job", job), T: time.Now(), V: 5})
	}
	if err := f.prom.db.Append(f.t.Context(), all...); err != nil {
		f.t.Fatal(err)
	}
}

// begin has all triggers evaluated for the first time.
func (f *fleets) begin() {
	f.t.Helper()
	var group sync.WaitGroup
	for _, c := range f.calls {
		group.Go(func() {
			if _, err := f.engine.Answer(f.t.Context(), c); err != nil {
				f.t.Error(err)
			}
		})
	}
	group.Wait()
	pass(time.Second)
	f.prom.asked()
}

// interval lets one pass, with a scrape in it.
func (f *fleets) interval() {
	f.t.Helper()
	f.scrape()
	pass(15 * time.Second)
}

// answers asks for every trigger and looks at what is answered.
func (f *fleets) answers(look func(i int, a engine.Answer)) {
	f.t.Helper()
	for i, c := range f.calls {
		a, err := f.engine.Answer(f.t.Context(), c)
		if err != nil {
			f.t.Fatalf("trigger %d: %v", i, err)
		}
		look(i, a)
	}
}

// check looks at the yield of every trigger but the one left out.
func (f *fleets) check(scale func(i int) float64, without int) {
	f.t.Helper()
	f.answers(func(i int, a engine.Answer) {
		want := yieldOf(i) * scale(i)
		if y := a.Decision.Yield; i != without && (!y.OK || y.Value < want-1e-9 || y.Value > want+1e-9 || time.Since(y.At) > 25*time.Second) {
			f.t.Fatalf("trigger %d: the yield is %+v, want %v: %s", i, y, want, a.Failure)
		}
	})
}

func one(int) float64 { return 1 }

// TestThousandOfOneShape: 1,000 triggers whose two queries differ in one value cost
// 8 requests an interval, asked for how often they may be.
func TestThousandOfOneShape(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFleets(t, 1000, sameShape)
		f.begin()
		for range 4 {
			f.interval()
			if n := f.prom.asked(); n != 8 {
				t.Errorf("%d requests in an interval, want 8", n)
			}
			for range 3 {
				f.check(one, -1)
			}
			if n := f.prom.asked(); n != 0 {
				t.Errorf("%d requests for 3000 calls, want none", n)
			}
		}
	})
}

// TestThousandShapes: 1,000 triggers of which no two queries are alike.
func TestThousandShapes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := newFleets(t, 1000, ownShape)
		f.begin()
		for range 3 {
			f.interval()
			f.check(func(i int) float64 { return 1 / float64(i+1) }, -1)
			if n := f.prom.asked(); n != 16 {
				t.Errorf("%d requests in an interval, want 16", n)
			}
		}
	})
}

// TestOnePoisonInThousand: one trigger's query brings down whatever request it is
// in. The other 999 are decided on in every interval as if it were not there.
func TestOnePoisonInThousand(t *testing.T) {
	t.Parallel()
	faults := map[string]func(*http.Request) (*http.Response, error){
		"an error":  status(http.StatusUnprocessableEntity),
		"a timeout": hang,
		"garbage":   body("<html>"),
		"too large": body(`{"status":"success","data":{"resultType":"vector","result":[` + strings.Repeat(" ", 33<<20) + `]}}`),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				f := newFleets(t, 1000, sameShape)
				f.begin()
				f.prom.suffer(func(r *http.Request) (*http.Response, error) {
					if asksFor(r, "job-617") {
						return fault(r)
					}
					return f.prom.serve(r)
				})
				for range 4 {
					f.interval()
					f.check(one, 617)
				}
				a, err := f.engine.Answer(t.Context(), f.calls[617])
				if err != nil || a.Failure == "" || a.Told.Reason == decision.Saturated {
					t.Errorf("the culprit: %+v, %v", a, err)
				}
				for _, q := range a.Queries {
					if q.Err == nil || q.Sent != q.Text {
						t.Errorf("the culprit's %v: asked as %q, %v", q.Role, q.Sent, q.Err)
					}
				}
			})
		})
	}
}

// asksFor reports whether a request is for a job. Its body can be read again.
func asksFor(r *http.Request, job string) bool {
	text, err := r.GetBody()
	if err != nil {
		return false
	}
	again := r.Clone(r.Context())
	again.Body = text
	if err := again.ParseForm(); err != nil {
		return false
	}
	query := again.Form.Get("query")
	return strings.Contains(query, job+`"`) || strings.Contains(query, job+"|")
}
