package fleet

import (
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// The metrics of a fleet, as package fleet documents them.
const (
	MetricYield   = "zmy"
	MetricCPU     = "worker_cpu_ratio"
	MetricReady   = "workers_ready"
	MetricSpec    = "workers_spec"
	MetricWaiting = "queue_waiting"
)

// Metric is one published number.
type Metric struct {
	Name, Help string
	Value      float64
}

// Metrics returns what a fleet publishes after a step. Without ready workers
// there is no yield and no CPU.
func (r Reading) Metrics() []Metric {
	list := []Metric{
		{MetricReady, "Workers that are able to work.", float64(r.Ready)},
		{MetricSpec, "Workers that are wanted.", float64(r.Spec)},
		{MetricWaiting, "Tasks that wait for a worker.", r.Waiting},
	}
	if yield, ok := r.Yield(); ok {
		list = append(list,
			Metric{MetricYield, "Idle share of the ready workers, 0 to 1.", yield},
			Metric{MetricCPU, "CPU used over CPU requested.", r.CPU})
	}
	return list
}

// Handler serves the newest reading as GET /metrics in Prometheus' format, and
// takes PUT /demand?busy=2.5 (busy workers wanted from now on) and
// PUT /replicas?n=3. The metrics carry no job label: a Prometheus that scrapes
// them adds its own.
func (f *Fleet) Handler() http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collector{f})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("PUT /demand", func(w http.ResponseWriter, r *http.Request) {
		busy, err := strconv.ParseFloat(r.FormValue("busy"), 64)
		if err != nil || !(busy >= 0) || math.IsInf(busy, 0) {
			http.Error(w, fmt.Sprintf("busy %q: must be a number, at least 0", r.FormValue("busy")), http.StatusBadRequest)
			return
		}
		f.SetDemand(Steady(busy))
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("PUT /replicas", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.ParseUint(r.FormValue("n"), 10, 16)
		if err != nil {
			http.Error(w, fmt.Sprintf("n %q: must be a whole number from 0 to 65535", r.FormValue("n")), http.StatusBadRequest)
			return
		}
		f.SetReplicas(int(n))
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// collector publishes the newest reading of a fleet.
type collector struct{ fleet *Fleet }

// Describe sends nothing: which metrics there are depends on the reading.
func (collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the metrics of the newest reading.
func (c collector) Collect(out chan<- prometheus.Metric) {
	for _, m := range c.fleet.Read().Metrics() {
		desc := prometheus.NewDesc(m.Name, m.Help, nil, nil)
		metric, err := prometheus.NewConstMetric(desc, prometheus.GaugeValue, m.Value)
		if err != nil {
			metric = prometheus.NewInvalidMetric(desc, err)
		}
		out <- metric
	}
}
