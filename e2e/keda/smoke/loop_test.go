package smoke

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/kedacore/keda/v2/pkg/scalers"
	v2 "k8s.io/api/autoscaling/v2"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
)

const (
	// target is the metric target in thousandths, the default.
	target = 30_000
	// maxReplicas is the ScaledObject's bound.
	maxReplicas = 20
	// period is how often KEDA and the HPA ask; cooldown is KEDA's.
	period   = 500 * time.Millisecond
	cooldown = time.Second
)

// loop plays KEDA and the HPA, with KEDA's own client.
type loop struct {
	scaler         *rig.Scaler
	average, ratio scalers.Scaler // the same trigger under both metric types
	pools          *pools
	begun          time.Time

	answer, other rig.Answer
	inactiveSince time.Time
	resized       time.Time
	band, reason  string // that the scaler publishes for people
	line          string
}

// tick asks, and does what KEDA and the HPA do then. No call may ever fail.
func (l *loop) tick(ctx context.Context, t *testing.T) {
	t.Helper()
	var err error
	if l.answer, err = rig.Ask(ctx, l.average); err != nil {
		t.Fatalf("%s: AverageValue: %v", l.clock(), err)
	}
	if l.other, err = rig.Ask(ctx, l.ratio); err != nil {
		t.Fatalf("%s: Value: %v", l.clock(), err)
	}
	before := l.pools.replicas
	if n := l.wanted(); n != before {
		l.pools.resize(ctx, t, n)
		l.resized = time.Now()
	}
	l.observe(ctx, t)
	line := fmt.Sprintf("%-36s value %4d  active %-5v  replicas %d", l.band+": "+l.reason, l.answer.Milli/1000, l.answer.Active, before)
	if n := l.pools.replicas; n != before {
		line += fmt.Sprintf(" -> %d", n)
	}
	if line != l.line {
		l.line = line
		rig.Say(t, "%s  %s", l.clock(), line)
	}
}

// wanted is the size that KEDA or the HPA sets now.
func (l *loop) wanted() int {
	n := l.pools.replicas
	if l.answer.Active {
		l.inactiveSince = time.Time{}
		if n == 0 {
			return 1 // KEDA wakes; the HPA sees to the rest
		}
		return max(1, min(maxReplicas, l.answer.Replicas(v2.AverageValueMetricType, target, n)))
	}
	switch {
	case n == 0:
		return 0
	case l.inactiveSince.IsZero():
		l.inactiveSince = time.Now()
	case time.Since(l.inactiveSince) >= cooldown:
		return 0
	}
	return max(1, min(maxReplicas, l.answer.Replicas(v2.AverageValueMetricType, target, n)))
}

// until goes on until something holds, at most for a while.
func (l *loop) until(ctx context.Context, t *testing.T, what string, atMost time.Duration, holds func() bool) {
	t.Helper()
	end := time.Now().Add(atMost)
	for !holds() {
		if time.Now().After(end) {
			t.Fatalf("%s: %v have passed without %s", l.clock(), atMost, what)
		}
		l.tick(ctx, t)
		if err := wait.For(ctx, period); err != nil {
			t.Fatal(err)
		}
	}
	rig.Say(t, "%s  ==== %s", l.clock(), what)
}

// stays goes on for a while in which nothing may move, under either metric type.
func (l *loop) stays(ctx context.Context, t *testing.T, d time.Duration) {
	t.Helper()
	n := l.pools.replicas
	for end := time.Now().Add(d); time.Now().Before(end); {
		l.tick(ctx, t)
		if l.pools.replicas != n {
			t.Fatalf("%s: %d replicas became %d; nothing should have moved", l.clock(), n, l.pools.replicas)
		}
		if l.answer.Active != (n > 0) || l.other.Active != (n > 0) {
			t.Fatalf("%s: active %v and, as a ratio, %v with %d replicas", l.clock(), l.answer.Active, l.other.Active, n)
		}
		// A ratio can be read only by who knows the same count as the scaler,
		// which without Kubernetes learns of new ones from Prometheus.
		settled := time.Since(l.resized) > startDelay+5*time.Second
		if m := l.other.Replicas(v2.ValueMetricType, target, n); settled && n > 0 && m != n {
			t.Fatalf("%s: as a ratio the value %d means %d replicas, want %d", l.clock(), l.other.Milli, m, n)
		}
		if err := wait.For(ctx, period); err != nil {
			t.Fatal(err)
		}
	}
	rig.Say(t, "%s  ==== nothing moved for %v", l.clock(), d)
}

// clock is the time since the beginning.
func (l *loop) clock() string { return fmt.Sprintf("%5.1fs", time.Since(l.begun).Seconds()) }

// observe reads the band and the reason.
func (l *loop) observe(ctx context.Context, t *testing.T) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+l.scaler.HTTP+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	info := regexp.MustCompile(`zmy_scaler_decision_info\{band="(\w+)",metric="zmy",namespace="shop",reason="(\w+)",scaled_object="workers"\}`).FindSubmatch(page)
	if info == nil {
		t.Fatalf("no decision_info in\n%s", page)
	}
	l.band, l.reason = string(info[1]), string(info[2])
}
