package backtest

import (
	"time"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// tellEvery is after how many ticks progress is told.
const tellEvery = 4096

// trace keeps what a report shows of a run.
type trace struct {
	progress func(time.Time)

	ticks   int
	changes []simulate.Change
	moments []moment
}

// moment is a moment as charts need it.
type moment struct {
	at      time.Time
	demand  float32
	waiting float32 // seconds of one worker
	yield   float32 // negative for none
	spec    int32
	ready   int32
}

// Tick implements [simulate.Watcher].
func (t *trace) Tick(m simulate.Moment) {
	yield := float32(-1)
	if m.Yield.OK() {
		yield = float32(m.Yield.Value)
	}
	t.moments = append(t.moments, moment{
		at: m.At, demand: float32(m.Demand), waiting: float32(m.Waiting), yield: yield, spec: int32(m.Spec), ready: int32(m.Ready),
	})
	if t.ticks++; t.progress != nil && t.ticks%tellEvery == 0 {
		t.progress(m.At)
	}
}

// Change implements [simulate.Watcher].
func (t *trace) Change(c simulate.Change) { t.changes = append(t.changes, c) }
