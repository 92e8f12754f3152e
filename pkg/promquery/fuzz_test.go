package promquery_test

import (
	"errors"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// FuzzAnswer feeds arbitrary bodies to a source: it must never panic, give
// either an answer or an error, and let no sample pass that is out of its domain.
func FuzzAnswer(f *testing.F) {
	f.Add(http.StatusOK, []byte(result("vector", `[{"metric":{"a":"b"},"value":[60,"0.5"]}]`)))
	f.Add(http.StatusOK, []byte(result("vector", `[{"value":[60]},null]`)))
	f.Add(http.StatusOK, []byte(result("scalar", `[60,"NaN"]`)))
	f.Add(http.StatusOK, []byte(answer("string", `[60,"x"]`, `,"warnings":["w"],"infos":["i"]`)))
	f.Add(http.StatusOK, []byte(result("matrix", `[{"values":[[60,"1"],[75,"+Inf"]],"histograms":[[90,`+histogramJSON+`]]},{"values":[[60,"1"]]}]`)))
	f.Add(http.StatusServiceUnavailable, []byte(`{"status":"error","errorType":"timeout","error":"late"}`))
	f.Add(http.StatusBadGateway, []byte(`<html>`))
	f.Add(http.StatusForbidden, []byte(`{"status":"success","error":"x"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		s := newSource(t, "http://p", promquery.WithTransport(says(status, body)))
		a, err := s.Instant(t.Context(), "q", time.Unix(60, 0))
		checkAnswer(t, a, err, 1)
		a, err = s.Range(t.Context(), "q", time.Unix(60, 0), time.Unix(90, 0), 15*time.Second)
		checkAnswer(t, a, err, 3)
	})
}

func checkAnswer(t *testing.T, a promquery.Answer, err error, points int) {
	t.Helper()
	if err != nil {
		if a.Points != nil || a.Warnings != nil {
			t.Fatalf("both an answer, %v, and an error, %v", a, err)
		}
		if e, ok := errors.AsType[*promquery.Error](err); !ok || e.Kind == promquery.KindOK || e.Error() == "" {
			t.Fatalf("the error %#v is none of ours", err)
		}
		return
	}
	if len(a.Points) != points {
		t.Fatalf("%d points for %d instants", len(a.Points), points)
	}
	for i, p := range a.Points {
		if p.State == zmy.Unasked || p.State > zmy.NotAScalar {
			t.Fatalf("point %d is %v", i, p.State)
		}
		ratio, amount := a.Sample(i, zmy.Ratio), a.Sample(i, zmy.Amount)
		if ratio.OK() && (math.IsNaN(ratio.Value) || ratio.Value < 0 || ratio.Value > 1) {
			t.Fatalf("the ratio %v is good", ratio.Value)
		}
		if amount.OK() && (math.IsNaN(amount.Value) || math.IsInf(amount.Value, 0) || amount.Value < 0) {
			t.Fatalf("the amount %v is good", amount.Value)
		}
	}
}
