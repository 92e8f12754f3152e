package engine

import (
	"fmt"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Detail is all that is known of one trigger.
type Detail struct {
	Status

	// Metadata is the trigger's as KEDA sent it; do not change it.
	Metadata map[string]string
	// Window holds the samples of each role from Oldest on, the newest of them at
	// the instant of the newest decision; nil for a role that is not observed.
	Window [zmy.NumRoles][]zmy.Sample
	Oldest zmy.Tick
	// Recent are the newest decisions, and Changes those that told KEDA another
	// size or activity than the one before; the newest first.
	Recent, Changes []Record
}

// Explain returns all that is known of the triggers of one ScaledObject. It waits
// for nothing.
func (e *Engine) Explain(namespace, name string) []Detail {
	var details []Detail
	for _, en := range e.all() {
		if en.key.object != (object{namespace, name}) {
			continue
		}
		if s, ok := e.status(en); ok {
			details = append(details, en.detail(s))
		}
	}
	return details
}

// status returns how a trigger stands, and false before its first evaluation.
func (e *Engine) status(en *entry) (Status, bool) {
	if en.verdict.Load() == nil {
		return Status{}, false
	}
	s := Status{
		Key:       fmt.Sprintf("%s/%s/%016x", en.key.namespace, en.key.name, en.key.hash),
		Namespace: en.key.namespace, Name: en.key.name,
	}
	now := e.cfg.Clock.Now()
	s.Answer, s.Err = e.known(en)
	s.Trigger = en.trig
	s.Age = now.Sub(s.Decision.Yield.At)
	if s.Asked = now; en.watchers.Load() == 0 {
		s.Asked = time.Unix(0, en.lastAsk.Load())
	}
	return s, true
}

// detail adds the window and the past to a status.
func (en *entry) detail(s Status) Detail {
	en.data.Lock()
	defer en.data.Unlock()
	d := Detail{
		Status: s, Metadata: en.metadata,
		Recent: en.history.recent(), Changes: en.history.changed(),
	}
	ticks := zmy.Tick(en.trig.Policy.Ticks())
	newest := en.window.Grid.At(s.Decision.At)
	d.Oldest = newest - ticks + 1
	for role, series := range en.window.Series {
		if series.Len() == 0 {
			continue
		}
		samples := make([]zmy.Sample, 0, ticks)
		for k := d.Oldest; k <= newest; k++ {
			samples = append(samples, series.At(k))
		}
		d.Window[role] = samples
	}
	return d
}

// remember keeps a decision, and what KEDA would be told of it at once.
func (e *Engine) remember(en *entry, v *verdict) {
	told := decision.Told{NoValue: true, NoActivity: true, Band: v.decision.Band, Reason: v.decision.Reason}
	if metric, err := e.metricType(en, v.cluster); err == nil {
		told = decision.Tell(&en.trig.Policy, &v.decision, e.live(en, en.fleet(v.cluster, v.workers), metric))
	}
	en.data.Lock()
	defer en.data.Unlock()
	en.history.add(pack(&v.decision, told))
}

// Changed returns a channel that is closed when triggers have been evaluated.
func (e *Engine) Changed() <-chan struct{} { return e.evaluated.next() }

// Now returns the time on the engine's clock.
func (e *Engine) Now() time.Time { return e.cfg.Clock.Now() }
