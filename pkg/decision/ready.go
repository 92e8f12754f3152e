package decision

import "github.com/infra-arch/zmy-scaler/pkg/zmy"

// ReadyHistory writes the workers of a window where no query gives them: a count
// of ready workers, read at the time of each evaluation.
//
// That is some seconds after the grid instant it is kept for. Workers that became
// ready in between carried nothing of the load of that instant, and would make
// the work look heavier than it is. So of the counts read before and after an
// instant the smaller one is kept.
type ReadyHistory struct {
	last   int
	at     zmy.Tick
	series *zmy.Series
}

// Record keeps a count for the instant at, in a window of the policy. What was
// before the first count is taken to have been the same; decisions know from the
// HPA's last scaling when that is not safe. An unknown count leaves a gap.
func (h *ReadyHistory) Record(p *Policy, w *zmy.Window, ready Count, at zmy.Tick) {
	if !ready.Known {
		return
	}
	n := ready.N
	if h.series == nil {
		h.series = zmy.NewSeries(p.Ticks())
		for k := at - zmy.Tick(p.Ticks()) + 1; k < at; k++ {
			h.series.Set(k, zmy.Amount.Sample(float64(n)))
		}
		w.Series[zmy.Workers] = h.series
	} else if at == h.at+1 {
		n = min(n, h.last)
	}
	h.series.Set(at, zmy.Amount.Sample(float64(n)))
	h.last, h.at = ready.N, at
}
