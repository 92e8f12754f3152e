package tune

import (
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/backtest"
)

// BenchmarkTwoWeeks tunes on 14 days of days and nights with 500 policies, and with
// all the plain triggers. It must stay below 120 s of CPU, a minute on two cores.
func BenchmarkTwoWeeks(b *testing.B) {
	d := curve(func(minute int, rng *rand.Rand) float64 {
		return (12 + 8*math.Sin(2*math.Pi*float64(minute)/(24*60))) * (1 + 0.1*rng.NormFloat64())
	}, 14*24*time.Hour)
	p := plan(b, object)
	l := p.Loop(d, nil, backtest.Environment{StartDelay: 40 * time.Second, QueryOffset: 5 * time.Second})
	before := cpu(b)
	for b.Loop() {
		if _, err := Run(b.Context(), p, l, Options{Policies: 500, Server: server()}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((cpu(b)-before).Seconds()/float64(b.N), "cpu-s/op")
}

// cpu is what this process has used of it.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
