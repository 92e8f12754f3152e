package smoke

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// scrape is the configuration of a Prometheus that scrapes the targets every second.
func scrape(targets []string) string {
	return fmt.Sprintf(`global:
  scrape_interval: 1s
  scrape_timeout: 900ms
scrape_configs:
- job_name: workers
  static_configs:
  - targets: ["%s"]
`, strings.Join(targets, `", "`))
}

// value returns the value of a query at an instant, and false where it has none.
func value(ctx context.Context, t *testing.T, server, query string, at time.Time) (string, bool) {
	t.Helper()
	form := url.Values{"query": {query}, "time": {at.UTC().Format(time.RFC3339Nano)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/query?"+form.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if len(answer.Data.Result) != 1 {
		return "", false
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1]), true
}

// fetch makes a request and returns the status.
func fetch(ctx context.Context, method, address string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, http.NoBody)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
