package promquery_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

func good(v float64) promquery.Point    { return promquery.Point{State: zmy.Good, Value: v} }
func state(s zmy.State) promquery.Point { return promquery.Point{State: s} }
func result(kind, list string) string   { return answer(kind, list, "") }
func answer(kind, list, rest string) string {
	return fmt.Sprintf(`{"status":"success","data":{"resultType":%q,"result":%s}%s}`, kind, list, rest)
}

const histogramJSON = `{"count":"4","sum":"5","buckets":[[0,"0.5","1","4"]]}`

func TestInstantAnswers(t *testing.T) {
	tests := []struct {
		name string
		body string
		want promquery.Point
		warn int
		fail string // a part of the message of a garbage error
	}{
		{name: "one element", body: result("vector", `[{"metric":{"a":"b"},"value":[60,"0.5"]}]`), want: good(0.5)},
		{name: "no metric", body: result("vector", `[{"value":[60.0,"0.5"]}]`), want: good(0.5)},
		{name: "none", body: result("vector", `[]`), want: state(zmy.Missing)},
		{name: "null for none", body: result("vector", `null`), want: state(zmy.Missing)},
		{name: "two", body: result("vector", `[{"value":[60,"1"]},{"value":[60,"1"]}]`), want: state(zmy.SeveralSeries)},
		{name: "NaN", body: result("vector", `[{"value":[60,"NaN"]}]`), want: good(math.NaN())},
		{name: "infinity", body: result("vector", `[{"value":[60,"-Inf"]}]`), want: good(math.Inf(-1))},
		{name: "histogram", body: result("vector", `[{"histogram":[60,`+histogramJSON+`]}]`), want: state(zmy.NotAScalar)},
		{name: "histogram and float", body: result("vector", `[{"histogram":[60,`+histogramJSON+`]},{"value":[60,"1"]}]`), want: state(zmy.SeveralSeries)},
		{name: "scalar", body: result("scalar", `[60,"7"]`), want: good(7)},
		{name: "string", body: answer("string", `[60,"7"]`, `,"warnings":["w"]`), want: state(zmy.NotAScalar), warn: 1},
		{name: "matrix", body: result("matrix", `[{"values":[[60,"7"]]}]`), want: state(zmy.NotAScalar)},
		{name: "warnings", body: answer("vector", `[]`, `,"warnings":["a","b"]`), want: state(zmy.Missing), warn: 2},
		{name: "infos do not count", body: answer("vector", `[]`, `,"infos":["a","b"]`), want: state(zmy.Missing)},

		{name: "another instant", body: result("vector", `[{"value":[61,"1"]}]`), fail: "for the instant 61"},
		{name: "a millisecond off", body: result("scalar", `[60.001,"1"]`), fail: "for the instant 60.001"},
		{name: "no value", body: result("vector", `[{"metric":{}}]`), fail: "either a value or a histogram"},
		{name: "null element", body: result("vector", `[null]`), fail: "element 0 is null"},
		{name: "null value", body: result("vector", `[{"value":null}]`), fail: "either a value or a histogram"},
		{name: "sample without its value", body: result("vector", `[{"value":[60]}]`), fail: "a timestamp and a value in quotes"},
		{name: "sample with a null value", body: result("vector", `[{"value":[60,null]}]`), fail: "a timestamp and a value in quotes"},
		{name: "number without quotes", body: result("vector", `[{"value":[60,1]}]`), fail: "a timestamp and a value in quotes"},
		{name: "timestamp in quotes", body: result("vector", `[{"value":["60","1"]}]`), fail: "a timestamp and a value in quotes"},
		{name: "three in a sample", body: result("vector", `[{"value":[60,"1","2"]}]`), fail: "a timestamp and a value in quotes"},
		{name: "no number", body: result("vector", `[{"value":[60,"one"]}]`), fail: "invalid syntax"},
		{name: "scalar null", body: result("scalar", `null`), fail: "a malformed scalar"},
		{name: "object for a list", body: result("vector", `{}`), fail: "a malformed vector"},
		{name: "no result", body: `{"status":"success","data":{"resultType":"vector"}}`, fail: "vector"},
		{name: "unknown type", body: result("table", `[]`), fail: `of type "table"`},
		{name: "no data", body: `{"status":"success"}`, fail: `of type ""`},
		{name: "no status", body: `{"data":{"resultType":"vector","result":[]}}`, fail: `the status is ""`},
		{name: "empty", body: ``, fail: "not the JSON of a query API"},
		{name: "HTML", body: `<html>502</html>`, fail: "not the JSON of a query API"},
		{name: "truncated", body: result("vector", `[]`)[:30], fail: "not the JSON of a query API"},
		{name: "list", body: `[]`, fail: "not the JSON of a query API"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSource(t, "http://p", promquery.WithTransport(says(http.StatusOK, []byte(tt.body))))
			got, err := s.Instant(t.Context(), "q", time.Unix(60, 0))
			checkGarbage(t, got, err, tt.fail)
			if tt.fail != "" {
				return
			}
			if diff := cmp.Diff([]promquery.Point{tt.want}, got.Points, cmpopts.EquateNaNs()); diff != "" {
				t.Errorf("points (-want +got):\n%s", diff)
			}
			if len(got.Warnings) != tt.warn {
				t.Errorf("warnings %q, want %d", got.Warnings, tt.warn)
			}
		})
	}
}

// checkGarbage fails the test unless err is a garbage error with want in its
// message, or nil where want is empty.
func checkGarbage(t *testing.T, got promquery.Answer, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	e, ok := errors.AsType[*promquery.Error](err)
	if !ok || e.Kind != promquery.KindGarbage || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want garbage with %q", err, want)
	}
	if got.Points != nil {
		t.Errorf("an error, and yet the answer %v", got)
	}
}

func TestRangeAnswers(t *testing.T) {
	tests := []struct {
		name string
		body string
		want []promquery.Point // at 60, 75 and 90 s
		fail string
	}{
		{name: "whole", body: result("matrix", `[{"values":[[60,"1"],[75,"2"],[90,"3"]]}]`), want: []promquery.Point{good(1), good(2), good(3)}},
		{name: "gap", body: result("matrix", `[{"values":[[60,"1"],[90,"3"]]}]`), want: []promquery.Point{good(1), state(zmy.Missing), good(3)}},
		{name: "nothing", body: result("matrix", `[]`), want: []promquery.Point{state(zmy.Missing), state(zmy.Missing), state(zmy.Missing)}},
		{
			name: "series that take turns",
			body: result("matrix", `[{"values":[[60,"1"]]},{"values":[[75,"2"]]},{"histograms":[[90,`+histogramJSON+`]]}]`),
			want: []promquery.Point{good(1), good(2), state(zmy.NotAScalar)},
		},
		{
			name: "series that meet",
			body: result("matrix", `[{"values":[[60,"1"],[75,"1"]]},{"values":[[75,"2"],[90,"2"]]},{"values":[[75,"3"]]}]`),
			want: []promquery.Point{good(1), state(zmy.SeveralSeries), good(2)},
		},
		{
			name: "a series that changes its kind",
			body: result("matrix", `[{"values":[[60,"1"]],"histograms":[[75,`+histogramJSON+`]]}]`),
			want: []promquery.Point{good(1), state(zmy.NotAScalar), state(zmy.Missing)},
		},

		{name: "outside", body: result("matrix", `[{"values":[[45,"1"]]}]`), fail: "outside the range"},
		{name: "between", body: result("matrix", `[{"values":[[61,"1"]]}]`), fail: "between two steps"},
		{name: "twice", body: result("matrix", `[{"values":[[60,"1"],[60,"2"]]}]`), fail: "twice in one series"},
		{name: "null sample", body: result("matrix", `[{"values":[null]}]`), fail: "a timestamp and a value in quotes"},
		{name: "null series", body: result("matrix", `[null]`), fail: "element 0 is null"},
		{name: "half a sample", body: result("matrix", `[{"values":[[60]]}]`), fail: "a timestamp and a value in quotes"},
		{name: "vector", body: result("vector", `[]`), fail: "no matrix"},
		{name: "string", body: result("string", `[60,"x"]`), fail: "a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSource(t, "http://p", promquery.WithTransport(says(http.StatusOK, []byte(tt.body))))
			got, err := s.Range(t.Context(), "q", time.Unix(60, 0), time.Unix(90, 0), 15*time.Second)
			checkGarbage(t, got, err, tt.fail)
			if tt.fail == "" {
				if diff := cmp.Diff(tt.want, got.Points); diff != "" {
					t.Errorf("points (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestRangeRefuses(t *testing.T) {
	tests := []struct {
		name string
		to   time.Time
		step time.Duration
		want string
	}{
		{name: "no step", to: time.Unix(60, 0), want: "at least a millisecond"},
		{name: "backwards", to: time.Unix(-1, 0), step: time.Second, want: "ends before it starts"},
		{name: "too many", to: time.Unix(promquery.MaxPoints, 0), step: time.Second, want: "more than 11000 steps"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSource(t, "http://p", promquery.WithTransport(says(http.StatusTeapot, nil)))
			_, err := s.Range(t.Context(), "q", time.Unix(0, 0), tt.to, tt.step)
			if e, ok := errors.AsType[*promquery.Error](err); !ok || e.Kind != promquery.KindBadQuery || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAnswerSample(t *testing.T) {
	a := promquery.Answer{
		Points:   []promquery.Point{good(0.5), good(1.5), good(math.NaN()), good(math.Inf(1)), state(zmy.Missing), state(zmy.SeveralSeries)},
		Warnings: []string{"w"},
	}
	want := []zmy.Sample{
		{State: zmy.Good, Value: 0.5, Partial: true},
		{State: zmy.OutOfRange, Partial: true},
		{State: zmy.NotANumber, Partial: true},
		{State: zmy.Infinite, Partial: true},
		{State: zmy.Missing, Partial: true},
		{State: zmy.SeveralSeries, Partial: true},
	}
	for i, w := range want {
		if got := a.Sample(i, zmy.Ratio); got != w {
			t.Errorf("sample %d = %+v, want %+v", i, got, w)
		}
	}
	a.Warnings = nil
	if got, want := a.Sample(1, zmy.Amount), (zmy.Sample{State: zmy.Good, Value: 1.5}); got != want {
		t.Errorf("sample = %+v, want %+v", got, want)
	}
}
