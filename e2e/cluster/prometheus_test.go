package cluster

import "testing"

func TestQueries(t *testing.T) {
	const metrics = `# TYPE prometheus_http_requests_total counter
prometheus_http_requests_total{code="200",handler="/api/v1/query"} 40
prometheus_http_requests_total{code="400",handler="/api/v1/query"} 2
prometheus_http_requests_total{code="200",handler="/api/v1/query_range"} 7
prometheus_http_requests_total{code="200",handler="/metrics"} 1000
prometheus_engine_queries 3
`
	if n, err := Queries(metrics); err != nil || n != 49 {
		t.Errorf("%v, %v, want 49", n, err)
	}
	if _, err := Queries("prometheus_http_requests_total{handler=\"/api/v1/query\"} many\n"); err == nil {
		t.Error("a value that is no number went through")
	}
}
