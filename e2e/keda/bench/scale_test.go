package bench

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// quiet is how many intervals are measured without calls: enough for the garbage
// collection of a few.
const quiet = 8

// load is what a scaler takes: CPU seconds per interval while nobody calls it, and
// the most memory that was seen, in MiB, scrapes of its metrics included.
type load struct{ cpu, resident float64 }

// many: 10,000 triggers, and the loss of their source.
func many(t *testing.T, r *report, b *bed, empty floor) load {
	ctx := t.Context()
	theirs, polled := b.measureKEDA(ctx, t, usual(), 2, both(b.n, alike))
	b.proxy.mostAtOnce() // of KEDA's
	s := b.startScaler(t, usual(), refs(b.n, alike))
	s.enter(ctx)
	s.settle(ctx, t, patience)
	ours, grpc := s.inTurns(ctx, t, empty, intervals)
	once := s.askedOnce(ctx, t, intervals)
	alone := b.measure(ctx, t, usual(), quiet, s.Process, nil)
	s.profile(ctx, t, "10000")

	const what = "10,000 triggers of one shape: "
	r.none(t, what+"calls that fail", ours.failed)
	r.none(t, what+"with a late or wrong yield", s.late(ctx, t))
	most := max(ours.resident, alone.resident, s.scraped(ctx, t))
	r.atMost(t, what+"memory of the scaler, MiB", most, 256, "%.0f")
	r.atMost(t, what+"CPU of the scaler, seconds in 15, with KEDA's calls", ours.own, 3, "%.2g")
	r.atMost(t, what+"the same, less what an empty gRPC server takes for as many calls", ours.own-grpc.own, 3, "%.2g")
	r.atMost(t, what+"the same when each trigger is asked for its metrics once in an interval", once.own, 3, "%.2g")
	r.atMost(t, what+"the same without calls", alone.own, 3, "%.2g")
	p50, p99 := ours.over(grpc)
	r.atMost(t, what+"p50 of an answer, over that of an empty gRPC server", p50, 2, "%.2g")
	r.atMost(t, what+"p99 of an answer, over that of an empty gRPC server", p99, 2, "%.2g")
	r.beside(t, "polls and calls that fail, 10,000 triggers", fmt.Sprint(polled.Failed), fmt.Sprint(ours.failed))
	r.beside(t, "requests in an interval, 10,000 triggers", fmt.Sprintf("%.0f", theirs.mean()), fmt.Sprintf("%.0f", ours.mean()))
	r.beside(t, "CPU of Prometheus, 10,000 triggers", times(theirs.prometheus, ours.prometheus), "1")
	r.beside(t, "CPU of its own, 10,000 triggers", times(theirs.own, ours.own), "1")
	r.beside(t, "memory, 10,000 triggers", times(theirs.resident, most), "1")
	outage(t, r, s, most)
	return load{cpu: alone.own, resident: most}
}

// scraped returns the most memory that the scaler has while its metrics are scraped
// a few times, as they also are to see who is late.
func (s *scaler) scraped(ctx context.Context, t *testing.T) float64 {
	t.Helper()
	most := 0.0
	for range patience {
		get(ctx, t, "http://"+s.HTTP+"/metrics")
		most = max(most, resident(t, s.PID()))
	}
	return most
}

// outage: the source dies, then hangs, then is back.
func outage(t *testing.T, r *report, s *scaler, resident float64) {
	ctx := t.Context()
	lasts := 2 // intervals of each kind
	if *longOutage {
		lasts = int(5 * time.Minute / s.interval)
	}
	s.bed.proxy.set(drop)
	dead := s.bed.measure(ctx, t, s.rhythm, lasts, s.Process, nil)
	s.bed.proxy.set(hang)
	hung := s.bed.measure(ctx, t, s.rhythm, lasts, s.Process, nil)
	s.bed.proxy.set(pass)
	s.ends(ctx, t) // the interval in which it came back
	back := s.settle(ctx, t, patience)
	after := s.bed.measure(ctx, t, s.rhythm, 1, s.Process, nil)

	const what = "10,000 triggers that lose their source: "
	most := max(dead.resident, hung.resident, after.resident)
	r.atMost(t, what+"memory, over what it was", most/resident, 1.2, "%.2g")
	r.atMost(t, what+"intervals until all are on time again", float64(back), 2, "%.0f")
	r.atMost(t, what+"requests at the same time", float64(s.bed.proxy.mostAtOnce()), concurrency, "%.0f")
}

// most: 100,000 triggers, on their own.
func most(t *testing.T, r *report, b *bed, at10k load) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	s := b.startScaler(t, usual(), refs(b.n, alike))
	s.enter(ctx)
	s.settle(ctx, t, patience)
	ours := b.measure(ctx, t, usual(), quiet, s.Process, nil)
	const what = "100,000 triggers of one shape: "
	r.atMost(t, what+"CPU of the scaler, over that with 10,000", ours.own/at10k.cpu, 12, "%.3g")
	r.atMost(t, what+"memory of the scaler, over that with 10,000", max(ours.resident, s.scraped(ctx, t))/at10k.resident, 12, "%.3g")
	s.profile(ctx, t, "100000")
	r.none(t, what+"with a late or wrong yield", s.late(ctx, t))
}
