package promquery_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// split asks a source that answers with the body for the keys a and b.
func split(t *testing.T, body string, to time.Time) ([]promquery.Answer, error) {
	t.Helper()
	s := newSource(t, "http://p", promquery.WithTransport(says(http.StatusOK, []byte(body))))
	by := promquery.By{Label: "job", Keys: []string{"a", "b"}}
	return s.Split(t.Context(), "q", by, time.Unix(60, 0), to, 15*time.Second)
}

// pointsOf returns the points of each answer.
func pointsOf(answers []promquery.Answer) [][]promquery.Point {
	var all [][]promquery.Point
	for _, a := range answers {
		all = append(all, a.Points)
	}
	return all
}

func TestSplitInstant(t *testing.T) {
	tests := []struct {
		name string
		body string
		want [][]promquery.Point
		fail string
	}{
		{
			name: "each its own",
			body: result("vector", `[{"metric":{"job":"b"},"value":[60,"2"]},{"metric":{"job":"a"},"value":[60,"1"]}]`),
			want: [][]promquery.Point{{good(1)}, {good(2)}},
		},
		{
			name: "one has nothing",
			body: result("vector", `[{"metric":{"job":"b","x":"y"},"value":[60,"2"]}]`),
			want: [][]promquery.Point{{state(zmy.Missing)}, {good(2)}},
		},
		{
			name: "one has several",
			body: result("vector", `[{"metric":{"job":"a","x":"1"},"value":[60,"1"]},{"metric":{"job":"a"},"value":[60,"1"]},{"metric":{"job":"b"},"value":[60,"2"]}]`),
			want: [][]promquery.Point{{state(zmy.SeveralSeries)}, {good(2)}},
		},
		{
			name: "one is a histogram",
			body: result("vector", `[{"metric":{"job":"a"},"histogram":[60,`+histogramJSON+`]}]`),
			want: [][]promquery.Point{{state(zmy.NotAScalar)}, {state(zmy.Missing)}},
		},
		{name: "a stranger", body: result("vector", `[{"metric":{"job":"c"},"value":[60,"1"]}]`), fail: `a series for "c"`},
		{name: "no label", body: result("vector", `[{"metric":{"x":"a"},"value":[60,"1"]}]`), fail: `a series for ""`},
		{name: "no metric", body: result("vector", `[{"value":[60,"1"]}]`), fail: `a series for ""`},
		{name: "a label that is no text", body: result("vector", `[{"metric":{"job":1},"value":[60,"1"]}]`), fail: "element 0"},
		{name: "another instant", body: result("vector", `[{"metric":{"job":"a"},"value":[61,"1"]}]`), fail: "for the instant 61"},
		{name: "a scalar", body: result("scalar", `[60,"1"]`), fail: "is a scalar"},
		{name: "a string", body: result("string", `[60,"1"]`), fail: "is a string"},
		{name: "a matrix", body: result("matrix", `[]`), fail: "is a matrix"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := split(t, tt.body, time.Unix(60, 0))
			checkGarbage(t, promquery.Answer{}, err, tt.fail)
			if diff := cmp.Diff(tt.want, pointsOf(got)); diff != "" {
				t.Errorf("points (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSplitRange(t *testing.T) {
	tests := []struct {
		name string
		body string
		want [][]promquery.Point // at 60, 75 and 90 s
		fail string
	}{
		{
			name: "gaps and turns are each one's own",
			body: result("matrix", `[{"metric":{"job":"a"},"values":[[60,"1"],[90,"3"]]},{"metric":{"job":"b","x":"1"},"values":[[60,"4"],[75,"5"]]},{"metric":{"job":"b","x":"2"},"values":[[75,"6"],[90,"7"]]}]`),
			want: [][]promquery.Point{
				{good(1), state(zmy.Missing), good(3)},
				{good(4), state(zmy.SeveralSeries), good(7)},
			},
		},
		{
			name: "nothing at all",
			body: result("matrix", `[]`),
			want: [][]promquery.Point{
				{state(zmy.Missing), state(zmy.Missing), state(zmy.Missing)},
				{state(zmy.Missing), state(zmy.Missing), state(zmy.Missing)},
			},
		},
		{name: "a stranger", body: result("matrix", `[{"metric":{"job":"c"},"values":[[60,"1"]]}]`), fail: `a series for "c"`},
		{name: "twice", body: result("matrix", `[{"metric":{"job":"a"},"values":[[60,"1"],[60,"1"]]}]`), fail: "twice in one series"},
		{name: "a vector", body: result("vector", `[]`), fail: "no matrix"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := split(t, tt.body, time.Unix(90, 0))
			checkGarbage(t, promquery.Answer{}, err, tt.fail)
			if diff := cmp.Diff(tt.want, pointsOf(got)); diff != "" {
				t.Errorf("points (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSplitWarnings(t *testing.T) {
	got, err := split(t, answer("vector", `[]`, `,"warnings":["half"]`), time.Unix(60, 0))
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range got {
		if diff := cmp.Diff([]string{"half"}, a.Warnings); diff != "" {
			t.Errorf("answer %d: warnings (-want +got):\n%s", i, diff)
		}
	}
}

func TestSplitRefusesBadRanges(t *testing.T) {
	s := newSource(t, "http://p", promquery.WithTransport(says(http.StatusTeapot, nil)))
	_, err := s.Split(t.Context(), "zmy", promquery.By{Label: "job"}, time.Unix(60, 0), time.Unix(0, 0), time.Second)
	wantKind(t, err, promquery.KindBadQuery)
	_, err = s.Split(t.Context(), "zmy", promquery.By{Label: "job"}, time.Unix(0, 0), time.Unix(60, 0), time.Second)
	wantKind(t, err, promquery.KindServer)
}

// TestSplitEqualsAlone proves on the real engine, on series with gaps, NaN and
// histograms, that what is split from one answer is what each query says alone.
func TestSplitEqualsAlone(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	keys := []string{"0", "1", "2", "3", "none"}
	pattern := strings.Join(keys, "|")
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 4))
		server := promquerytest.New(t, "")
		feed(server, randomSeries(random, start, 10*time.Minute), start.Add(time.Hour))
		src := newSource(t, server.URL)
		for _, to := range []time.Time{start.Add(3 * time.Minute), start.Add(8 * time.Minute)} {
			got, err := src.Split(soon(t), `avg by (i) (zmy{i=~"`+pattern+`"})`, promquery.By{Label: "i", Keys: keys}, start.Add(3*time.Minute), to, 15*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			for i, key := range keys {
				alone := `avg(zmy{i="` + key + `"})`
				want, err := src.Range(soon(t), alone, start.Add(3*time.Minute), to, 15*time.Second)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want.Points, got[i].Points, cmpopts.EquateNaNs()); diff != "" {
					t.Errorf("seed %d, key %s (-alone +split):\n%s", seed, key, diff)
				}
			}
		}
	}
}
