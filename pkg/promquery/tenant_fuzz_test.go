package promquery_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
)

// tenants is one storage with the series of several tenants and of nobody, and
// one with those of the tenant shop alone.
type tenants struct{ all, own *promembed.Server }

func newTenants(tb testing.TB) tenants {
	tb.Helper()
	s := tenants{all: openTenant(tb), own: openTenant(tb)}
	for i, namespace := range []string{"bank", "shop", "", "shop2", "Shop"} {
		for j, name := range []string{"x", "y", "my.metric"} {
			for k, job := range []string{"a", "b", "c"} {
				if namespace == "shop" && name == "y" && job == "c" {
					continue // there is something that only others have
				}
				metric := labels.FromStrings("__name__", name, "job", job, "namespace", namespace, "pod", name+job)
				var samples []promembed.Sample
				// Some series are there for a part of the time.
				for n := (i + k) % 4 * 6; n < 41-(i+j)%3*9; n++ {
					samples = append(samples, promembed.Sample{Labels: metric, T: time.Unix(int64(n)*15, 0), V: float64(n%(i+k+2)) + float64(j)})
				}
				put(tb, s.all, samples)
				if namespace == "shop" {
					put(tb, s.own, samples)
				}
			}
		}
	}
	return s
}

func openTenant(tb testing.TB) *promembed.Server {
	tb.Helper()
	db, err := promembed.Open(promembed.Options{Dir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

func put(tb testing.TB, db *promembed.Server, samples []promembed.Sample) {
	tb.Helper()
	if err := db.Append(tb.Context(), samples...); err != nil {
		tb.Fatal(err)
	}
}

// shown is the answer to a query at 10 minutes: its series, sorted.
type shown struct {
	status int
	series []string
	// namespaces are those on the series.
	namespaces map[string]bool
}

func answerOf(tb testing.TB, db *promembed.Server, query string) shown {
	tb.Helper()
	w := httptest.NewRecorder()
	form := url.Values{"query": {query}, "time": {"600"}}
	db.ServeHTTP(w, httptest.NewRequestWithContext(tb.Context(), http.MethodGet, "/api/v1/query?"+form.Encode(), http.NoBody))
	var body struct {
		Data struct {
			ResultType string
			Result     json.RawMessage
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		tb.Fatal(err)
	}
	r := shown{status: w.Code, namespaces: map[string]bool{}}
	if body.Data.ResultType != "vector" && body.Data.ResultType != "matrix" {
		r.series = []string{string(body.Data.Result)}
		return r
	}
	var series []json.RawMessage
	if err := json.Unmarshal(body.Data.Result, &series); err != nil {
		tb.Fatal(err)
	}
	for _, s := range series {
		var labelled struct{ Metric map[string]string }
		if err := json.Unmarshal(s, &labelled); err != nil {
			tb.Fatal(err)
		}
		r.series = append(r.series, string(s))
		r.namespaces[labelled.Metric["namespace"]] = true
	}
	slices.Sort(r.series)
	return r
}

// check restricts a query to the tenant shop, and sees that all it asks for is the
// tenant's, and that its answer is that of a server where others have no series.
func (s tenants) check(t *testing.T, query string) (enforced string, found int) {
	t.Helper()
	enforced, err := promquery.Enforce(query, "namespace", "shop")
	if err != nil {
		t.Fatalf("Enforce(%s): %v", query, err)
	}
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(enforced)
	if err != nil {
		t.Fatalf("Enforce(%s) = %s: %v", query, enforced, err)
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		for namespace := range answerOf(t, s.all, selector.String()).namespaces {
			if namespace != "shop" {
				t.Fatalf("%s\nbecame %s\nwhose %s selects series of %q", query, enforced, selector, namespace)
			}
		}
		return nil
	})
	if expr.Type() == parser.ValueTypeString {
		return enforced, 0
	}
	got, alone := answerOf(t, s.all, enforced), answerOf(t, s.own, enforced)
	if got.status != alone.status || !slices.Equal(got.series, alone.series) {
		t.Fatalf("%s\nbecame %s\nwhich gives %d %v\nand where others have no series %d %v", query, enforced, got.status, got.series, alone.status, alone.series)
	}
	return enforced, len(got.series)
}

// checkMeaning holds a query that was restricted against the one that was given,
// on a server where others have no series.
func (s tenants) checkMeaning(t *testing.T, query, enforced string) {
	t.Helper()
	want, got := answerOf(t, s.own, query), answerOf(t, s.own, enforced)
	if got.status != want.status || !slices.Equal(got.series, want.series) {
		t.Fatalf("%s gives %d %v\nand became %s\nwhich gives %d %v", query, want.status, want.series, enforced, got.status, got.series)
	}
}

// TestTenantSeesItsOwn runs random queries.
func TestTenantSeesItsOwn(t *testing.T) {
	s := newTenants(t)
	rng := rand.New(rand.NewPCG(1, 2))
	const n = 400
	refused, found, different := 0, 0, 0
	for range n {
		a := author{rng: rng}
		query := a.vector(4)
		if a.foreign {
			refused++
			if got, err := promquery.Enforce(query, "namespace", "shop"); err == nil {
				t.Fatalf("%s\nnames another tenant and became %s", query, got)
			}
			continue
		}
		if err := promquery.CheckQuery(query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		enforced, series := s.check(t, query)
		s.checkMeaning(t, query, enforced)
		if series > 0 {
			found++
		}
		if !slices.Equal(answerOf(t, s.all, enforced).series, answerOf(t, s.all, query).series) {
			different++
		}
	}
	// Without this the queries could be all nonsense, and the test would say nothing.
	if refused < n/20 || found < n/4 || different < n/4 {
		t.Errorf("of %d queries %d were refused, %d found something, and %d would have found something else", n, refused, found, different)
	}
}

// FuzzEnforce tries what no author of queries would write.
func FuzzEnforce(f *testing.F) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		a := author{rng: rng}
		f.Add(a.vector(3))
	}
	for _, q := range []string{`{"x or y"}`, "x # }\n", `{__name__=~".+"}`, "x{namespace!=''}", "absent(x)", "`x`", "x @ end()", "x[5m:1m]", `{"na\u006despace"="bank"}`, "((((", "info(x)"} {
		f.Add(q)
	}
	s := newTenants(f)
	f.Fuzz(func(t *testing.T, query string) {
		if len(query) > 200 || promquery.CheckQuery(query) != nil {
			return
		}
		if _, err := promquery.Enforce(query, "namespace", "shop"); err != nil {
			return
		}
		enforced, _ := s.check(t, query)
		// Printing alone changes -0y to 0s, and sorts matchers, on whose order the
		// labels of an absence may depend.
		printed, err := parser.NewParser(parser.Options{}).ParseExpr(query)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(query, "absent") {
			s.checkMeaning(t, printed.String(), enforced)
		}
	})
}
