package demo

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/infra-arch/zmy-scaler/internal/fleet"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
)

// keep is how much history the embedded Prometheus keeps.
const keep = 2 * time.Hour

// scraper stores what the fleets publish, as a Prometheus that scrapes them does.
type scraper struct {
	store *promembed.Server
	world *world
	cut   time.Time // up to here history was dropped
}

// scrape stores the newest readings at a time. A metric that is gone since the
// last scrape is marked stale, or it would be found for minutes more. The
// world's mu is held.
func (s *scraper) scrape(ctx context.Context, at time.Time) error {
	var samples []promembed.Sample
	for _, m := range s.world.members {
		seen := map[string]bool{}
		for _, metric := range m.fleet.Read().Metrics() {
			seen[metric.Name] = true
			samples = append(samples, sample(metric.Name, m.name, at, metric.Value))
		}
		for _, name := range []string{fleet.MetricYield, fleet.MetricCPU} {
			if m.exported[name] && !seen[name] {
				samples = append(samples, sample(name, m.name, at, math.Float64frombits(value.StaleNaN)))
			}
		}
		m.exported = seen
	}
	if err := s.store.Append(ctx, samples...); err != nil {
		return err
	}
	if s.cut.IsZero() {
		s.cut = at
	}
	if at.Sub(s.cut) < 2*keep {
		return nil
	}
	s.cut = at.Add(-keep)
	return s.store.Truncate(s.cut)
}

func sample(name, job string, at time.Time, v float64) promembed.Sample {
	return promembed.Sample{Labels: labels.FromStrings(model.MetricNameLabel, name, "job", job), T: at, V: v}
}
