package promquery_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// BenchmarkInstant is one instant query without the network: what encoding,
// checking and decoding cost.
func BenchmarkInstant(b *testing.B) {
	s := newSource(b, "http://p", promquery.WithTransport(says(http.StatusOK, []byte(result("vector", `[{"metric":{},"value":[60,"0.5"]}]`)))))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Instant(b.Context(), "avg(zmy)", time.Unix(60, 0)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRange is one range query of a full page without the network.
func BenchmarkRange(b *testing.B) {
	var values []string
	for i := range promquery.MaxPoints {
		values = append(values, fmt.Sprintf(`[%d,"0.512345678"]`, i*15))
	}
	body := []byte(result("matrix", `[{"values":[`+strings.Join(values, ",")+`]}]`))
	s := newSource(b, "http://p", promquery.WithTransport(says(http.StatusOK, body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Range(b.Context(), "zmy", time.Unix(0, 0), time.Unix((promquery.MaxPoints-1)*15, 0), 15*time.Second); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUpdate is one interval of one trigger against a real engine, over
// loopback.
func BenchmarkUpdate(b *testing.B) {
	server := promquerytest.New(b, "load 15s\n zmy 0.5x1000")
	s := newSource(b, server.URL)
	tracker := promquery.NewTracker("avg(avg_over_time(zmy[5m]))", zmy.Ratio, 60)
	grid := grid15(b)
	at := zmy.Tick(100)
	b.ReportAllocs()
	for b.Loop() {
		at++
		if err := tracker.Update(b.Context(), s, grid, at); err != nil {
			b.Fatal(err)
		}
	}
}
