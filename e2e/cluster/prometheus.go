package cluster

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"
)

// Scrapes returns the configuration of a Prometheus that scrapes one exporter. Its
// numbers are shown as they are, without labels of the exporter's.
func Scrapes(target string) string {
	return fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
scrape_configs:
- job_name: numbers
  honor_labels: true
  static_configs: [{targets: [%q]}]
  metric_relabel_configs:
  - {regex: "instance|job", action: labeldrop}
`, target)
}

// Queries returns how many queries a Prometheus has answered, from what it tells
// about itself under /metrics.
func Queries(metrics string) (float64, error) {
	sum := 0.0
	lines := bufio.NewScanner(strings.NewReader(metrics))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), `prometheus_http_requests_total{`) || !strings.Contains(lines.Text(), `handler="/api/v1/query`) {
			continue
		}
		fields := strings.Fields(lines.Text())
		n, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, lines.Err()
}
