package plan_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
)

// population returns 20,000 queries: of one shape, of few shapes that overlap, or
// each of its own.
func population(kind string) []string {
	texts := make([]string, 20_000)
	for i := range texts {
		switch kind {
		case "alike":
			texts[i] = fmt.Sprintf(`avg(avg_over_time(zmy{namespace="prod", job="service-%d"}[5m]))`, i)
		case "overlapping":
			texts[i] = fmt.Sprintf(`sum(rate(idle_seconds_total{namespace="team-%d", job="service-%d", env="prod"}[5m])) / sum(rate(seconds_total{namespace="team-%d", job="service-%d", env="prod"}[5m]))`, i%141, i/141, i%141, i/141)
		case "unlike":
			texts[i] = fmt.Sprintf(`1 - avg(rate(busy_seconds_total{namespace="team-%d", job="service-%d"}[5m])) or vector(%d)`, i%100, i, i)
		}
	}
	return texts
}

func BenchmarkMake(b *testing.B) {
	for _, kind := range []string{"alike", "overlapping", "unlike"} {
		b.Run(kind, func(b *testing.B) {
			queries := prepare(b, population(kind)...)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = len(plan.Make(queries, plan.DefaultLimits()))
			}
			b.ReportMetric(float64(n), "batches")
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	texts := population("overlapping")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		prepare(b, texts[i%len(texts)])
		i++
	}
}

// BenchmarkMemory reports what a prepared query keeps, beside its text.
func BenchmarkMemory(b *testing.B) {
	for _, kind := range []string{"alike", "overlapping", "unlike"} {
		b.Run(kind, func(b *testing.B) {
			texts := population(kind)
			kept, characters := 0.0, 0
			for _, text := range texts {
				characters += len(text)
			}
			for b.Loop() {
				before := heap()
				queries := prepare(b, texts...)
				kept = float64(heap()-before) / float64(len(queries))
				runtime.KeepAlive(queries)
			}
			b.ReportMetric(kept, "B/query")
			b.ReportMetric(float64(characters)/float64(len(texts)), "text-B/query")
		})
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
