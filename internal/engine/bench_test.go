package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
)

// wire answers requests in memory, in the words of a Prometheus: each job that a
// query asks for has a value at each instant.
type wire struct {
	requests int
	part     *regexp.Regexp // of a query, see seriesOf
}

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.requests++
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, err
	}
	kind, samples := "vector", `"value":[`+form.Get("time")+`,"0.512345678"]`
	if form.Has("start") {
		kind = "matrix"
		if samples, err = rangeSamples(form); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"status":"success","data":{"resultType":%q,"result":[`, kind)
	for i, labels := range w.seriesOf(form.Get("query")) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"metric":{%s},%s}`, labels, samples)
	}
	b.WriteString(`]}}`)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(&b), Request: r}, nil
}

// newWire returns a wire.
func newWire() *wire {
	return &wire{part: regexp.MustCompile(`job=~?"([^"]*)"[^"]*(?:"` + plan.Tag + `", "(\d+)(:)?)?`)}
}

// seriesOf returns the labels of all series that answer a query, which may be one
// as it stands, a merged one, or a union of both.
func (w *wire) seriesOf(query string) []string {
	var all []string
	for _, part := range w.part.FindAllStringSubmatch(query, -1) {
		for job := range strings.SplitSeq(part[1], "|") {
			switch {
			case part[3] != "":
				all = append(all, fmt.Sprintf(`"job":%q,%q:"%s:%s"`, job, plan.Tag, part[2], job))
			case part[2] != "":
				all = append(all, fmt.Sprintf(`%q:%q`, plan.Tag, part[2]))
			default:
				all = append(all, fmt.Sprintf(`"job":%q`, job))
			}
		}
	}
	return all
}

func rangeSamples(form url.Values) (string, error) {
	var from, to, step int64
	if _, err := fmt.Sscan(form.Get("start"), &from); err != nil {
		return "", err
	}
	if _, err := fmt.Sscan(form.Get("end"), &to); err != nil {
		return "", err
	}
	if _, err := fmt.Sscan(form.Get("step"), &step); err != nil {
		return "", err
	}
	var list []string
	for at := from; at <= to; at += step {
		list = append(list, fmt.Sprintf(`[%d,"0.512345678"]`, at))
	}
	return `"values":[` + strings.Join(list, ",") + `]`, nil
}

// benchEngine returns an engine with n triggers of two queries, evaluated once.
// Its time stands still.
func benchEngine(b testing.TB, n int) (*Engine, *wire) {
	w := newWire()
	source, err := promquery.NewSource(promquery.NewSourceConfig("default", "http://p"), promquery.WithTransport(w))
	if err != nil {
		b.Fatal(err)
	}
	e, err := New(b.Context(), Config{
		Interval: 15 * time.Second, Timeout: time.Minute, QueryOffset: 5 * time.Second,
		Sources: map[string]Source{"default": {Querier: source, MaxConcurrency: 1, Allows: func(string) bool { return true }}},
		Log:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	e.cfg.Clock = standing(0)
	for i := range n {
		c := Call{Namespace: fmt.Sprint("team-", i%50), Name: fmt.Sprint("so-", i), Metadata: map[string]string{
			"zmyQuery":      fmt.Sprintf(`avg(avg_over_time(zmy{job="job-%d"}[5m]))`, i),
			"replicasQuery": fmt.Sprintf(`sum(workers{job="job-%d"})`, i),
		}}
		if _, err := e.enter(c, 1); err != nil {
			b.Fatal(err)
		}
	}
	e.first.Wait()
	return e, w
}

// standing is a clock that stands still some intervals after an instant.
func standing(intervals int) clock.Clock {
	return clock.Scaled(time.Unix(1_700_000_000, 0).Add(time.Duration(intervals)*15*time.Second), 1e-9)
}

// BenchmarkRound is one interval of many triggers with two queries each, without
// the network: planning, encoding, reading the answers, deciding.
func BenchmarkRound(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e, w := benchEngine(b, n)
			b.ReportAllocs()
			w.requests = 0
			i := 0
			for b.Loop() {
				i++
				e.cfg.Clock = standing(i)
				e.round(context.WithoutCancel(b.Context()))
			}
			b.ReportMetric(float64(w.requests)/float64(i), "requests/op")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(i*n), "ns/trigger")
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapAlloc)/float64(n), "heap-bytes/trigger")
			runtime.KeepAlive(e)
		})
	}
}
