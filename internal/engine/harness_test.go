package engine_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promembed"
)

// prometheus is a real engine and storage that is reached without a network, so
// that it lives in a bubble of synctest.
type prometheus struct {
	t  *testing.T
	db *promembed.Server

	mu       sync.Mutex
	fault    func(*http.Request) (*http.Response, error)
	requests int
}

func newPrometheus(t *testing.T) *prometheus {
	t.Helper()
	db, err := promembed.Open(promembed.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &prometheus{t: t, db: db}
}

// RoundTrip answers a request, or lets it suffer the fault that is set.
func (p *prometheus) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	fault := p.fault
	p.requests++
	p.mu.Unlock()
	if fault != nil {
		return fault(r)
	}
	return p.serve(r)
}

func (p *prometheus) serve(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.db.ServeHTTP(w, r)
	return w.Result(), nil
}

func (p *prometheus) suffer(fault func(*http.Request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// asked returns the requests since it was last called.
func (p *prometheus) asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.requests
	p.requests = 0
	return n
}

// put stores one sample of a metric now.
func (p *prometheus) put(name string, v float64) { p.putAt(name, time.Now(), v) }

func (p *prometheus) putAt(name string, at time.Time, v float64) {
	p.t.Helper()
	sample := promembed.Sample{Labels: labels.FromStrings(model.MetricNameLabel, name), T: at, V: v}
	if err := p.db.Append(p.t.Context(), sample); err != nil {
		p.t.Fatal(err)
	}
}

// fill stores a metric every 5 s for d, up to now.
func (p *prometheus) fill(name string, d time.Duration, v float64) {
	p.t.Helper()
	for ago := d; ago >= 0; ago -= 5 * time.Second {
		p.putAt(name, time.Now().Add(-ago), v)
	}
}

// Faults of a source.

func status(code int) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("sorry"))}, nil
	}
}

func body(text string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}, nil
	}
}

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// rig is an engine with everything around it.
type rig struct {
	t       *testing.T
	prom    *prometheus
	engine  *engine.Engine
	querier promquery.Querier
	stop    func()
}

type option func(*engine.Config)

func withCluster(c *cluster) option {
	return func(cfg *engine.Config) { cfg.Cluster = c }
}

// newRig starts an engine on a Prometheus; options may come from the test.
func newRig(t *testing.T, prom *prometheus, opts ...option) *rig {
	t.Helper()
	source, err := promquery.NewSource(promquery.NewSourceConfig("default", "http://prometheus:9090"), promquery.WithTransport(prom))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, prom: prom, querier: source}
	cfg := engine.Config{
		Interval: 15 * time.Second, Timeout: 10 * time.Second, QueryOffset: 5 * time.Second,
		Sources: map[string]engine.Source{"default": {
			Querier: source, MaxConcurrency: 8,
			Allows: func(namespace string) bool { return namespace != "outsiders" },
		}},
		Clock: clock.Real(), Log: slog.New(slog.DiscardHandler),
	}
	for _, o := range opts {
		o(&cfg)
	}
	e, err := engine.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	r.engine = e
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(r.stop)
	return r
}

// metadata is a trigger on the metric "zmy" with "workers" as replicas.
func metadata(changes ...string) map[string]string {
	m := map[string]string{"zmyQuery": "zmy", "replicasQuery": "workers"}
	for i := 0; i < len(changes); i += 2 {
		m[changes[i]] = changes[i+1]
		if changes[i+1] == "-" {
			delete(m, changes[i])
		}
	}
	return m
}

func callFor(m map[string]string) engine.Call {
	return engine.Call{Namespace: "shop", Name: "payment", Metadata: m}
}

func (r *rig) ask(m map[string]string) engine.Answer {
	r.t.Helper()
	a, err := r.engine.Answer(r.t.Context(), callFor(m))
	if err != nil {
		r.t.Fatal(err)
	}
	return a
}

// pass lets time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// cluster is a Kubernetes whose view a test sets.
type cluster struct {
	mu      sync.Mutex
	view    kube.View
	forgot  []string
	looking func(context.Context)
}

func newCluster(replicas int) *cluster {
	n := decision.Known(replicas)
	return &cluster{view: kube.View{
		Found: true, Known: true, MetricType: decision.Value, MetricTypeKnown: true,
		Fleet: decision.Fleet{
			Spec: n, Status: n, Ready: n, Min: 1, Max: 100,
			Tolerance: decision.Tolerance{Down: 0.1, Up: 0.1},
		},
	}}
}

// Look implements engine.Cluster.
func (c *cluster) Look(ctx context.Context, _, _ string, _ map[string]string) kube.View {
	c.mu.Lock()
	looking := c.looking
	c.mu.Unlock()
	if looking != nil {
		looking(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.view
}

// Forget implements engine.Cluster.
func (c *cluster) Forget(namespace, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forgot = append(c.forgot, namespace+"/"+name)
}

func (c *cluster) set(edit func(*kube.View)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	edit(&c.view)
}
