package smoke

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	v2 "k8s.io/api/autoscaling/v2"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/prometheus"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
)

const (
	// lookback is what the yield is averaged over. Counts of the pools come from
	// scrapes at different moments; for as long as they do not fit together the
	// average must not leave its band.
	lookback = 10 * time.Second
	// upDelay and downDelay are the trigger's. By the end of upDelay the average
	// has followed a step of the load, so that the size it leads to is certain.
	upDelay   = 6 * time.Second
	downDelay = 8 * time.Second
	// late bounds how long after its delay a decision may come: the lookback, 1 s
	// each for the scrape, the offset, the grid and the calls, up to 5 s until a
	// Prometheus that has just started scrapes, and more for a busy machine.
	late = lookback + 15*time.Second
)

// trigger is what a user would write. While a scrape fails there is no count, rather
// than one without that scrape's workers.
func trigger() map[string]string {
	return map[string]string{
		"zmyQuery":       `avg(avg_over_time(zmy{job="workers"}[10s]))`,
		"replicasQuery":  `sum(workers_ready{job="workers"}) and on() min(up{job="workers"}) == 1`,
		"wakeQuery":      `sum(queue_waiting{job="workers"})`,
		"scaleUpDelay":   upDelay.String(),
		"scaleDownDelay": downDelay.String(),
		"maxStaleness":   "4s",
	}
}

// TestSmoke tells one story, from hold to wake, with an outage in between.
func TestSmoke(t *testing.T) {
	binary := prometheus.Build(t.Context(), t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	begun := time.Now()
	pools := startPools(ctx, t, 4)
	pools.load(ctx, t, 2)
	p := prometheus.New(t, binary, scrape(pools.addresses))
	p.Start(ctx, t)
	scaler := rig.StartScaler(t, "scaler", rig.Config{Offset: "1s", Sources: map[string]string{"default": p.URL()}}.Write(t))
	ratio := trigger()
	ratio["metricType"] = "Value"
	l := &loop{
		scaler: scaler, pools: pools, begun: begun,
		average: rig.Trigger{Address: scaler.GRPC, Name: "workers", Metadata: trigger()}.Poll(t),
		ratio: rig.Trigger{
			Address: scaler.GRPC, Name: "workers-as-a-ratio", MetricType: v2.ValueMetricType, Metadata: ratio,
		}.Poll(t),
	}
	waitForData(ctx, t, p)

	rig.Say(t, "%s  ---- a steady load: 2 of 4 workers are busy", l.clock())
	l.stays(ctx, t, 5*time.Second)
	stall(ctx, t, l)
	grow(ctx, t, l)
	shrink(ctx, t, l)
	outage(ctx, t, l, p)
	wake(ctx, t, l)
	rig.Say(t, "%s  ---- done", l.clock())
}

// waitForData waits until the first scrapes are far enough in the past.
func waitForData(ctx context.Context, t *testing.T, p *prometheus.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := wait.Until(ctx, "Prometheus to scrape all pools", func() bool {
		v, ok := value(ctx, t, p.URL(), `count(count_over_time(zmy{job="workers"}[5s]) >= 4)`, time.Now().Add(-time.Second))
		return ok && v == fmt.Sprint(poolCount)
	}); err != nil {
		t.Fatal(err)
	}
}

// stall has one pool answer no scrape for a while. Without up in replicasQuery half
// of the workers would count as gone, and hold, which repeats the count, would end them.
func stall(ctx context.Context, t *testing.T, l *loop) {
	rig.Say(t, "%s  ---- one pool answers no scrape", l.clock())
	stalled := l.pools.processes[0]
	stalled.Signal(t, syscall.SIGSTOP)
	l.stays(ctx, t, 3*time.Second)
	stalled.Signal(t, syscall.SIGCONT)
	l.stays(ctx, t, 3*time.Second)
}

// grow steps the load up: 3.4 busy workers at a load of 0.3 are 12.
func grow(ctx context.Context, t *testing.T, l *loop) {
	rig.Say(t, "%s  ---- the load steps up: 3.4 of 4 workers are busy", l.clock())
	l.pools.load(ctx, t, 3.4)
	stepped := time.Now()
	l.until(ctx, t, "scale-up", upDelay+late, func() bool { return l.pools.replicas > 4 })
	if waited := l.resized.Sub(stepped); waited < upDelay {
		t.Fatalf("%s: scaled up after %v, want no less than %v", l.clock(), waited, upDelay)
	}
	if n := l.pools.replicas; n != 12 {
		t.Fatalf("%s: scaled up to %d, want 12", l.clock(), n)
	}
	// Workers start, the average settles: no further step on the way.
	l.stays(ctx, t, startDelay+lookback+time.Second)
}

// shrink takes most of the load away: the scale-down comes, and not too early.
func shrink(ctx context.Context, t *testing.T, l *loop) {
	rig.Say(t, "%s  ---- the load drops: 0.7 of 12 workers is busy", l.clock())
	l.pools.load(ctx, t, 0.72)
	l.until(ctx, t, "a yield high enough to scale down", late, func() bool { return l.reason == "idle_pending" })
	high := time.Now()
	l.until(ctx, t, "scale-down", downDelay+late, func() bool { return l.pools.replicas < 12 })
	// High was seen up to an interval and a period late.
	if waited := l.resized.Sub(high); waited < downDelay-time.Second-2*period {
		t.Fatalf("%s: scaled down %v after the yield was high, want no less than %v", l.clock(), waited, downDelay)
	}
	if n := l.pools.replicas; n != 2 {
		t.Fatalf("%s: scaled down to %d, want 2: one worker would scale up again", l.clock(), n)
	}
	l.stays(ctx, t, 6*time.Second)
}

// outage stops Prometheus, takes all load away meanwhile, and starts Prometheus
// again on what it had stored. Nothing moves until fresh samples have been idle
// for the delay; then the fleet goes inactive, and to zero.
func outage(ctx context.Context, t *testing.T, l *loop, p *prometheus.Server) {
	before := time.Now()
	p.Stop(ctx, t)
	rig.Say(t, "%s  ---- Prometheus has stopped; the load goes away", l.clock())
	l.pools.load(ctx, t, 0)
	l.stays(ctx, t, downDelay+4*time.Second)
	back := time.Now()
	p.Start(ctx, t)
	rig.Say(t, "%s  ---- Prometheus is back", l.clock())
	if v, ok := value(ctx, t, p.URL(), `sum(workers_ready)`, before); !ok || v != "2" {
		t.Fatalf("before it was stopped Prometheus had stored %q workers, want 2: its storage is another one", v)
	}
	l.until(ctx, t, "inactive", downDelay+late, func() bool { return !l.answer.Active })
	if waited := l.inactiveSince.Sub(back); waited < downDelay {
		t.Fatalf("%s: inactive %v after the outage, want no less than %v of fresh samples", l.clock(), waited, downDelay)
	}
	l.until(ctx, t, "zero", cooldown+5*time.Second, func() bool { return l.pools.replicas == 0 })
	l.stays(ctx, t, 5*time.Second)
}

// wake lets work arrive at a fleet of zero. It wakes, grows and does the work.
func wake(ctx context.Context, t *testing.T, l *loop) {
	rig.Say(t, "%s  ---- work arrives for 1.5 workers", l.clock())
	l.pools.load(ctx, t, 1.5)
	l.until(ctx, t, "active", late, func() bool { return l.answer.Active })
	l.until(ctx, t, "more than one", late+startDelay+upDelay, func() bool { return l.pools.replicas > 1 })
}
