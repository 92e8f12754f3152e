package bench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/prometheus"
)

const (
	// scrapeInterval is a common one; a range of 5 minutes holds 20 samples.
	scrapeInterval = 15 * time.Second
	// history is what Prometheus has of each series from before the start.
	history = 6 * time.Minute
	// batch is how many series are written in one request.
	batch = 5000
)

// startPrometheus runs a Prometheus that knows the fleets for a while already and
// scrapes an exporter that has them all.
func startPrometheus(t *testing.T, binary string, f fleets) *prometheus.Server {
	t.Helper()
	var page bytes.Buffer
	for i := range f.n {
		f.series(i, func(name, pod string, v float64) {
			fmt.Fprintf(&page, "%s{job=%q,pod=%q} %v\n", name, fleetName(i), pod, v)
		})
	}
	var past atomic.Bool // is written: it must be there before the present is
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !past.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = w.Write(page.Bytes()) // a scrape that was given up
	}))
	t.Cleanup(exporter.Close)
	p := prometheus.New(t, binary, fmt.Sprintf(`global:
  scrape_interval: %v
scrape_configs:
- job_name: exporter
  honor_labels: true
  static_configs:
  - targets: [%q]
  metric_relabel_configs:
  - {action: labeldrop, regex: instance}
`, scrapeInterval, exporter.Listener.Addr()), "--web.enable-remote-write-receiver")
	p.Start(t.Context(), t)
	w := writer{url: p.URL() + "/api/v1/write"}
	for i := range f.n {
		f.series(i, func(name, pod string, v float64) { w.add(t, v, "__name__", name, "job", fleetName(i), "pod", pod) })
	}
	w.flush(t)
	past.Store(true)
	return p
}

// writer writes history into a Prometheus.
type writer struct {
	url     string
	pending prompb.WriteRequest
}

// add writes a series with the same value at each scrape of the history. Labels
// are names and values in turn, sorted; those without a value are left out.
func (w *writer) add(t *testing.T, v float64, labels ...string) {
	t.Helper()
	var series prompb.TimeSeries
	for i := 0; i < len(labels); i += 2 {
		if labels[i+1] != "" {
			series.Labels = append(series.Labels, prompb.Label{Name: labels[i], Value: labels[i+1]})
		}
	}
	now := time.Now()
	for ago := history; ago > 0; ago -= scrapeInterval {
		series.Samples = append(series.Samples, prompb.Sample{Timestamp: now.Add(-ago).UnixMilli(), Value: v})
	}
	w.pending.Timeseries = append(w.pending.Timeseries, series)
	if len(w.pending.Timeseries) == batch {
		w.flush(t)
	}
}

func (w *writer) flush(t *testing.T) {
	t.Helper()
	content, err := w.pending.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	w.pending.Timeseries = w.pending.Timeseries[:0]
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url, bytes.NewReader(snappy.Encode(nil, content)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("writing history: %s", resp.Status)
	}
}

// get returns the body of a page.
func get(ctx context.Context, t *testing.T, url string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	return body.Bytes()
}

// parse reads a number of a page.
func parse(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}
