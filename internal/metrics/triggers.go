package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/infra-arch/zmy-scaler/internal/engine"
)

// Lister tells the state of all known triggers, and of their sources.
// [engine.Engine] is the one.
type Lister interface {
	List() []engine.Status
	Len() int
	Sources() []engine.SourceStatus
}

// triggers collects the state of all triggers at each scrape, so that a
// forgotten trigger takes its series along.
type triggers struct {
	list Lister

	count, yield, desired, current, active, info, age *prometheus.Desc
}

// Watch registers the state of a lister's triggers and sources.
func (m *Metrics) Watch(l Lister) {
	each := []string{"namespace", "scaled_object", "metric"}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("zmy_scaler_"+name, help, labels, nil)
	}
	m.Registry.MustRegister(newSources(l), &triggers{
		list:    l,
		count:   desc("triggers", "Triggers that are known."),
		yield:   desc("yield_ratio", "The newest good yield: 0 saturated, 1 idle.", each...),
		desired: desc("desired_replicas", "Replicas the fleet should have by the newest decision.", each...),
		current: desc("current_replicas", "Replicas the fleet has: spec.replicas, or replicasQuery without Kubernetes.", each...),
		active:  desc("active", "What KEDA is told by IsActive.", each...),
		info:    desc("decision_info", "Always 1; the labels say what is done and why.", append(each, "band", "reason")...),
		age:     desc("sample_age_seconds", "How old the newest good yield is.", each...),
	})
}

// Describe implements [prometheus.Collector].
func (t *triggers) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{t.count, t.yield, t.desired, t.current, t.active, t.info, t.age} {
		c <- d
	}
}

// Collect implements [prometheus.Collector]. Of two triggers with the same
// names, of which one may be a leftover from before an edit, the one asked for last
// is told.
func (t *triggers) Collect(c chan<- prometheus.Metric) {
	c <- prometheus.MustNewConstMetric(t.count, prometheus.GaugeValue, float64(t.list.Len()))
	newest := map[[3]string]engine.Status{}
	for _, s := range t.list.List() {
		k := [3]string{s.Namespace, s.Name, s.Trigger.MetricName}
		if before, ok := newest[k]; !ok || !s.Asked.Before(before.Asked) {
			newest[k] = s
		}
	}
	for k, s := range newest {
		t.collect(c, s, k[:])
	}
}

func (t *triggers) collect(c chan<- prometheus.Metric, s engine.Status, labels []string) {
	gauge := func(d *prometheus.Desc, v float64, more ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append(labels[:3:3], more...)...)
	}
	if s.Err != nil {
		return
	}
	if d := s.Decision; d.Yield.OK {
		gauge(t.yield, d.Yield.Value)
		gauge(t.age, s.Age.Seconds())
	}
	if s.Decision.Replicas.Known {
		gauge(t.desired, float64(s.Decision.Desired))
	}
	if s.Fleet.Spec.Known {
		gauge(t.current, float64(s.Fleet.Spec.N))
	}
	if !s.Told.NoActivity {
		gauge(t.active, map[bool]float64{true: 1}[s.Told.Active])
	}
	gauge(t.info, 1, s.Told.Band.String(), s.Told.Reason.String())
}
