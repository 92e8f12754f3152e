// Package client drives the built scaler, in a process of its own, with KEDA's
// own client. Its source is a real Prometheus engine behind HTTP.
package client

import (
	"maps"
	"math"
	"os"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// target is the metric target in thousandths where a trigger names none.
const target = 30_000

// step is how far apart samples are.
const step = time.Second

// stretch is a value that a series has for a while.
type stretch struct {
	lasts time.Duration
	value float64
}

// absent ends a series where it stands for a value, as a failed scrape does.
func absent() float64 { return math.Float64frombits(value.StaleNaN) }

// load stores a series with a sample each second from an instant on. A label may
// tell it from others of its name.
func load(t testing.TB, p *promquerytest.Server, name, label string, from time.Time, stretches ...stretch) {
	t.Helper()
	l := labels.FromStrings("__name__", name)
	if label != "" {
		l = labels.FromStrings("__name__", name, "instance", label)
	}
	var samples []promembed.Sample
	at := from.Truncate(step)
	for _, s := range stretches {
		for end := at.Add(s.lasts); at.Before(end); at = at.Add(step) {
			samples = append(samples, promembed.Sample{Labels: l, T: at, V: s.value})
		}
	}
	p.Append(samples...)
}

// steady stores a series that has been the same for half an hour and stays so.
func steady(t testing.TB, p *promquerytest.Server, name string, v float64) {
	t.Helper()
	load(t, p, name, "", time.Now().Add(-30*time.Minute), stretch{time.Hour, v})
}

// merge returns metadata with more keys.
func merge(list ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range list {
		maps.Copy(all, m)
	}
	return all
}
