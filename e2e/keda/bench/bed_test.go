package bench

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/proc"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/prometheus"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
)

// before is how long before a round an interval is taken to end.
const before = 100 * time.Millisecond

// rhythm is when things are evaluated.
type rhythm struct{ interval, offset time.Duration }

// passed returns how long ago the newest interval ended.
func (r rhythm) passed(now time.Time) time.Duration {
	end := now.Add(before - r.offset)
	return end.Sub(end.Truncate(r.interval))
}

// atEnd waits for the end of an interval, unless it is just now.
func (r rhythm) atEnd(ctx context.Context, t *testing.T) {
	t.Helper()
	if r.passed(time.Now()) > before/2 {
		r.ends(ctx, t)
	}
}

// ends waits for the next end of an interval: just before the next round begins.
func (r rhythm) ends(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := wait.For(ctx, r.interval-r.passed(time.Now())); err != nil {
		t.Fatal(err)
	}
}

// bed is what programs are measured on: a Prometheus behind a proxy that counts.
type bed struct {
	fleets

	prom  *prometheus.Server
	proxy *proxy
	// idle is the CPU time that Prometheus takes for itself, per second.
	idle float64
}

// newBed starts a bed and measures what Prometheus takes when nobody asks it.
func newBed(t *testing.T, binary string, f fleets) *bed {
	t.Helper()
	b := &bed{fleets: f, prom: startPrometheus(t, binary, f)}
	b.proxy = startProxy(t, b.prom.URL())
	// What is left over from writing history goes first.
	if err := wait.For(t.Context(), 2*time.Second); err != nil {
		t.Fatal(err)
	}
	used, begun := cpu(t, b.prom.PID()), time.Now()
	if err := wait.For(t.Context(), scrapeInterval); err != nil {
		t.Fatal(err)
	}
	b.idle = (cpu(t, b.prom.PID()) - used).Seconds() / time.Since(begun).Seconds()
	return b
}

// span is what was measured over some intervals.
type span struct {
	// requests has those of each interval.
	requests []int
	// prometheus and own are CPU seconds per interval: what asking cost Prometheus,
	// and what the program that asked took itself.
	prometheus, own float64
	// resident is the most memory that the program had at the end of an interval, in MiB.
	resident float64
}

// add takes in what was measured after it.
func (s *span) add(next span) {
	n, m := float64(len(s.requests)), float64(len(next.requests))
	s.prometheus = (s.prometheus*n + next.prometheus*m) / (n + m)
	s.own = (s.own*n + next.own*m) / (n + m)
	s.resident = max(s.resident, next.resident)
	s.requests = append(s.requests, next.requests...)
}

// most returns the requests of the interval that had the most.
func (s span) most() int {
	most := 0
	for _, n := range s.requests {
		most = max(most, n)
	}
	return most
}

// mean returns the requests of an interval.
func (s span) mean() float64 {
	sum := 0
	for _, n := range s.requests {
		sum += n
	}
	return float64(sum) / float64(len(s.requests))
}

// measure measures n intervals, while the calls go on, if there are any.
func (b *bed) measure(ctx context.Context, t *testing.T, r rhythm, n int, p *proc.Process, calls func(context.Context)) span {
	t.Helper()
	r.atEnd(ctx, t)
	calling, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	if calls != nil {
		group.Go(func() { calls(calling) })
	}
	defer group.Wait()
	defer stop()
	var s span
	begun := time.Now()
	prom, own, counted := cpu(t, b.prom.PID()), cpu(t, p.PID()), b.proxy.counted()
	for range n {
		r.ends(ctx, t)
		now := b.proxy.counted()
		s.requests = append(s.requests, now-counted)
		counted = now
		s.resident = max(s.resident, resident(t, p.PID()))
	}
	took := time.Since(begun).Seconds()
	// What is less than can be measured is taken to be that.
	s.prometheus = max((cpu(t, b.prom.PID())-prom).Seconds()-b.idle*took, tick.Seconds()) / float64(n)
	s.own = (cpu(t, p.PID()) - own).Seconds() / float64(n)
	return s
}

// measureKEDA measures n intervals of KEDA's own scalers.
func (b *bed) measureKEDA(ctx context.Context, t *testing.T, r rhythm, n int, queries []string) (span, polled) {
	t.Helper()
	k := startKEDA(t, poll{URL: b.proxy.URL, Queries: queries, Period: r.interval})
	r.ends(ctx, t) // from here on all of them poll
	s := b.measure(ctx, t, r, n, k.Process, nil)
	return s, k.stop(t)
}
