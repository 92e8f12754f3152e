package demo

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
)

// TestScrape lets a fleet go to zero and come back, over more hours than are
// kept, and asks the embedded Prometheus for its yield.
func TestScrape(t *testing.T) {
	t.Parallel()
	store, err := promembed.Open(promembed.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	w, err := newWorld(scenario(), epoch)
	if err != nil {
		t.Fatal(err)
	}
	s := &scraper{store: store, world: w}
	to := func(since time.Duration) {
		t.Helper()
		if err := w.advance(epoch.Add(since), func(at time.Time) error { return s.scrape(t.Context(), at) }); err != nil {
			t.Fatal(err)
		}
	}
	has := func(query string, since time.Duration) bool {
		t.Helper()
		form := url.Values{"query": {query}, "time": {strconv.FormatInt(epoch.Add(since).Unix(), 10)}}
		r := httptest.NewRecorder()
		store.ServeHTTP(r, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/query?"+form.Encode(), nil))
		if r.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", query, r.Code, r.Body)
		}
		return strings.Contains(r.Body.String(), `"job":"orders"`)
	}
	const yield = `zmy{job="orders"}`

	to(0)
	if !has(yield, 0) || !has(yield, -preload+time.Minute) {
		t.Error("there is no history at the start")
	}
	w.byName["orders"].fleet.SetReplicas(0)
	to(time.Minute)
	if has(yield, time.Minute) {
		t.Error("a fleet of none has a yield")
	}
	if !has(`workers_ready{job="orders"} == 0`, time.Minute) {
		t.Error("a fleet of none has no count")
	}
	w.byName["orders"].fleet.SetReplicas(1)
	to(2 * time.Minute)
	if !has(yield, 2*time.Minute) {
		t.Error("a fleet of one has no yield")
	}
	to(2*keep + time.Hour)
	if !has(yield, 2*keep+time.Hour) {
		t.Error("dropping old history lost the newest")
	}
	if s.cut.Equal(epoch.Add(-preload)) {
		t.Error("old history was not dropped")
	}
}
