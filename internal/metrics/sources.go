package metrics

import "github.com/prometheus/client_golang/prometheus"

// sources collects how the sources stand at each scrape.
type sources struct {
	list Lister

	queries, alone, wanted, up *prometheus.Desc
}

func newSources(l Lister) *sources {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("zmy_scaler_source_"+name, help, []string{"source"}, nil)
	}
	return &sources{
		list:    l,
		queries: desc("queries", "Different queries that the known triggers ask a source."),
		alone:   desc("queries_alone", "Queries that are asked alone for now, since they failed or came with warnings."),
		wanted:  desc("queries_wanted_total", "Queries that were to be answered, equal ones of a round once. Many share one request."),
		up:      desc("up", "1 while a source answers; 0 while it gets nothing but a probe an interval."),
	}
}

// Describe implements [prometheus.Collector].
func (s *sources) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.queries, s.alone, s.wanted, s.up} {
		c <- d
	}
}

// Collect implements [prometheus.Collector].
func (s *sources) Collect(c chan<- prometheus.Metric) {
	for _, source := range s.list.Sources() {
		gauge := func(d *prometheus.Desc, v float64) {
			c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, source.Name)
		}
		gauge(s.queries, float64(source.Queries))
		gauge(s.alone, float64(source.Isolated))
		gauge(s.up, map[bool]float64{false: 1}[source.Down])
		c <- prometheus.MustNewConstMetric(s.wanted, prometheus.CounterValue, float64(source.Wanted), source.Name)
	}
}
