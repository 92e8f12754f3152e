// Package metrics is what the scaler tells Prometheus about itself.
package metrics

import (
	"runtime"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/events"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// Build says which build this is.
type Build struct{ Version, Commit string }

// Metrics holds the instruments of one scaler, and the registry they are in.
type Metrics struct {
	Registry *prometheus.Registry
	// GRPC instruments the gRPC server.
	GRPC *grpcprom.ServerMetrics

	evaluations     *prometheus.CounterVec
	evaluation      prometheus.Histogram
	sourceRequests  *prometheus.CounterVec
	sourceDurations *prometheus.HistogramVec
	events          *prometheus.CounterVec
}

// latencies suit answers from a near Prometheus: from 1 ms to the longest round.
func latencies() []float64 {
	return []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// New returns the instruments, registered.
func New(build Build) *Metrics {
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		GRPC: grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram(
			// Answers come from memory: the interesting part is far below 1 ms.
			grpcprom.WithHistogramBuckets([]float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .025, .1, 1, 10}),
		)),
		evaluations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "zmy_scaler_evaluations_total", Help: "Evaluations of triggers, by whether every query was answered.",
		}, []string{"result"}),
		evaluation: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "zmy_scaler_evaluation_duration_seconds", Help: "How long one evaluation of one trigger took.", Buckets: latencies(),
		}),
		sourceRequests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "zmy_scaler_source_requests_total", Help: "Requests to a source, by how they ended.",
		}, []string{"source", "result"}),
		sourceDurations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "zmy_scaler_source_request_duration_seconds", Help: "How long requests to a source took.", Buckets: latencies(),
		}, []string{"source"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "zmy_scaler_events_total", Help: "Kubernetes Events, by what became of them.",
		}, []string{"result"}),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "zmy_scaler_build_info", Help: "Always 1; the labels say which build this is.",
		ConstLabels: prometheus.Labels{"version": build.Version, "commit": build.Commit, "goversion": runtime.Version()},
	})
	info.Set(1)
	for _, r := range []engine.Result{engine.Fetched, engine.Failed} {
		m.evaluations.WithLabelValues(string(r))
	}
	for _, r := range events.Results() {
		m.events.WithLabelValues(string(r))
	}
	m.Registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		info, m.GRPC, m.evaluations, m.evaluation, m.sourceRequests, m.sourceDurations, m.events,
	)
	return m
}

// Evaluated counts an evaluation.
func (m *Metrics) Evaluated(result engine.Result, took time.Duration) {
	m.evaluations.WithLabelValues(string(result)).Inc()
	m.evaluation.Observe(took.Seconds())
}

// Told counts a Kubernetes Event.
func (m *Metrics) Told(result events.Result) { m.events.WithLabelValues(string(result)).Inc() }

// Requested counts a request to a source.
func (m *Metrics) Requested(source string, result promquery.Kind, took time.Duration) {
	m.sourceRequests.WithLabelValues(source, result.String()).Inc()
	m.sourceDurations.WithLabelValues(source).Observe(took.Seconds())
}
