package simulate

import (
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// average is avg_over_time of a series: the mean of the samples there are in
// (t - lookback, t].
type average struct {
	samples *zmy.Series
	span    zmy.Tick
}

func newAverage(g zmy.Grid, lookback time.Duration) average {
	n := max(1, g.StepsUp(lookback))
	return average{samples: zmy.NewSeries(n), span: zmy.Tick(n)}
}

func (a average) add(k zmy.Tick, v zmy.Sample) { a.samples.Set(k, v) }

func (a average) at(k zmy.Tick) zmy.Sample {
	if a.span == 1 {
		return a.samples.At(k)
	}
	sum, n := 0.0, 0
	for j := k - a.span + 1; j <= k; j++ {
		if v := a.samples.At(j); v.OK() {
			sum += v.Value
			n++
		}
	}
	if n == 0 {
		return zmy.Sample{State: zmy.Missing}
	}
	return zmy.Ratio.Sample(sum / float64(n))
}
