package plane_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// gauge counts how many requests are under way at once.
type gauge struct {
	underWay, most, total atomic.Int64
}

// RoundTrip implements [http.RoundTripper].
func (g *gauge) RoundTrip(r *http.Request) (*http.Response, error) {
	n := g.underWay.Add(1)
	defer g.underWay.Add(-1)
	g.total.Add(1)
	for most := g.most.Load(); n > most && !g.most.CompareAndSwap(most, n); most = g.most.Load() {
	}
	return http.DefaultTransport.RoundTrip(r)
}

// answer writes what a Prometheus would to avg by (job) (zmy{job=~"w1|w2"}), or to
// avg(zmy{job="w1"}), where w1 is always 1 and so on.
func answer(w http.ResponseWriter, r *http.Request) {
	list := strings.Split(r.FormValue("query"), `"`)[1]
	start, end := r.FormValue("start"), r.FormValue("end")
	kind := "matrix"
	if start == "" {
		kind, start, end = "vector", r.FormValue("time"), r.FormValue("time")
	}
	from, err1 := strconv.Atoi(start)
	to, err2 := strconv.Atoi(end)
	if err := errors.Join(err1, err2); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var all []string
	for name := range strings.SplitSeq(list, "|") {
		var samples []string
		for at := from; at <= to; at += 15 {
			samples = append(samples, fmt.Sprintf(`[%d,%q]`, at, name[1:]))
		}
		value := `"value":` + samples[0]
		if kind == "matrix" {
			value = `"values":[` + strings.Join(samples, ",") + `]`
		}
		all = append(all, fmt.Sprintf(`{"metric":{"job":%q},%s}`, name, value))
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":%q,"result":[%s]}}`, kind, strings.Join(all, ","))
}

// serve serves answers at an address until it is closed.
func serve(t *testing.T, address string) *httptest.Server {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", address)
	// Somebody else's connection may have the port for a while.
	for tries := 0; err != nil && tries < 100; tries++ {
		<-time.After(200 * time.Millisecond)
		l, err = lc.Listen(t.Context(), "tcp", address)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(answer))
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// outage is what 10,000 triggers want of a server that may be gone.
type outage struct {
	t        *testing.T
	plane    *plane.Plane
	asks     []plane.Ask
	tick     int
	answered int // the newest tick that all were answered at
}

// round asks what is lacking at the next tick, and returns how many are answered.
func (o *outage) round() int {
	o.t.Helper()
	o.tick++
	ctx, cancel := context.WithTimeout(o.t.Context(), 5*time.Minute)
	defer cancel()
	for i := range o.asks {
		o.asks[i].From, o.asks[i].To = time.Unix(int64(o.answered+1)*15, 0), time.Unix(int64(o.tick)*15, 0)
	}
	n := 0
	o.plane.Run(ctx, o.asks, func(i int, r plane.Result) {
		if r.Err != nil {
			return
		}
		n++
		want := slices.Repeat([]promquery.Point{{State: zmy.Good, Value: float64(i)}}, o.tick-o.answered)
		if !slices.Equal(r.Answer.Points, want) {
			o.t.Errorf("tick %d, ask %d: %v", o.tick, i, r.Answer.Points)
		}
	})
	if n == len(o.asks) {
		o.answered = o.tick
	}
	return n
}

// TestKilled asks a real server for what 10,000 triggers want, kills it for 40
// intervals, as many as there are in ten minutes, and starts another one.
func TestKilled(t *testing.T) {
	const triggers = 10_000
	const every = 200 * time.Millisecond
	server := serve(t, "127.0.0.1:0")
	requests := &gauge{}
	source, err := promquery.NewSource(promquery.NewSourceConfig("default", server.URL), promquery.WithTransport(requests))
	if err != nil {
		t.Fatal(err)
	}
	o := &outage{t: t, plane: plane.New(plane.Options{
		Querier: source, Limits: plan.DefaultLimits(), MaxConcurrency: promquery.DefaultMaxConcurrency, Interval: every,
	})}
	for i := range triggers {
		q, err := o.plane.Use(fmt.Sprintf(`avg(zmy{job="w%d"})`, i))
		if err != nil {
			t.Fatal(err)
		}
		o.asks = append(o.asks, plane.Ask{Namespace: fmt.Sprint(i % 100), Query: q, Step: 15 * time.Second})
	}
	if n := o.round(); n != triggers {
		t.Fatalf("%d of %d are answered", n, triggers)
	}
	before := used()
	server.CloseClientConnections()
	server.Close()
	beat := time.NewTicker(every)
	defer beat.Stop()
	var noticed time.Time
	var sent int64
	for i := range 40 {
		<-beat.C
		if n := o.round(); n != 0 {
			t.Fatalf("%d are answered by a server that is dead", n)
		}
		if i == 0 {
			noticed, sent = time.Now(), requests.total.Load()
		}
	}
	// Intervals last longer than they should where the machine is busy.
	sent = requests.total.Load() - sent
	if most := int64(time.Since(noticed)/(every*9/10)) + 1; sent > most {
		t.Errorf("%d requests to a dead server where %d are one probe an interval", sent, most)
	}
	if after := used(); after > before+before/4 {
		t.Errorf("%d bytes in use before the outage, %d after it", before, after)
	}
	serve(t, server.Listener.Addr().String())
	<-beat.C
	first := o.round()
	<-beat.C
	if second := o.round(); second != triggers {
		t.Errorf("in the first interval afterwards %d of %d are answered, in the second %d", first, triggers, second)
	}
	if n := requests.most.Load(); n > promquery.DefaultMaxConcurrency {
		t.Errorf("%d requests at once", n)
	}
}

// used returns how many bytes of the heap are in use.
func used() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
