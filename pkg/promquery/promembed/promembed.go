// Package promembed runs a Prometheus inside this process: the real query engine
// on a storage without a write-ahead log, behind the HTTP query API. The demo
// and the tests use it. Nothing survives Close.
package promembed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	defaultLookback   = 5 * time.Minute
	defaultTimeout    = 2 * time.Minute
	defaultMaxSamples = 50_000_000
	// subqueryStep is the resolution of a subquery that names none.
	subqueryStep = time.Minute
	// chunkRange is far longer than a server lives: the storage takes samples
	// up to half of it behind the newest, so series can be loaded one by one.
	chunkRange = 20 * 365 * 24 * time.Hour
	// stripes is the size of the series table: an embedded server is small.
	stripes = 512
)

// ErrClosed is returned by a server that was closed.
var ErrClosed = errors.New("the embedded Prometheus is closed")

// Options change how [Open] builds a server. The zero value is usable.
type Options struct {
	// Dir is where a temporary directory is made, by default the system's.
	Dir string
	// Lookback is how long a sample counts after its time: 5 minutes by default.
	Lookback time.Duration
	// Timeout is how long a query may run: 2 minutes by default.
	Timeout time.Duration
	// MaxSamples is how many samples a query may load: 50 million by default.
	MaxSamples int
	// Now is the clock for queries without a time, by default time.Now.
	Now func() time.Time
}

// Sample is one value of one series. T has millisecond resolution.
type Sample struct {
	Labels labels.Labels
	T      time.Time
	V      float64
	// H, when set, is stored instead of V.
	H *histogram.FloatHistogram
}

// Server is an embedded Prometheus. It is safe for concurrent use.
type Server struct {
	now    func() time.Time
	dir    string
	engine *promql.Engine
	mux    *http.ServeMux

	// mu is held for reading while the storage is used: it maps files into
	// memory that must not go away under a query.
	mu     sync.RWMutex
	closed bool

	// writing serialises appends. When several create series at a time, the
	// storage may find a posting list out of order and sort it in place, under the
	// eyes of queries that read it.
	writing sync.Mutex
	head    *tsdb.Head
}

// Open starts an empty server. Close it.
func Open(o Options) (*Server, error) {
	dir, err := os.MkdirTemp(o.Dir, "promembed-")
	if err != nil {
		return nil, fmt.Errorf("embedded Prometheus: %w", err)
	}
	head, err := openHead(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("embedded Prometheus: %w", err), os.RemoveAll(dir))
	}
	s := &Server{now: o.Now, dir: dir, head: head, mux: http.NewServeMux()}
	if s.now == nil {
		s.now = time.Now
	}
	s.engine = promql.NewEngine(promql.EngineOpts{
		Logger:                   slog.New(slog.DiscardHandler),
		MaxSamples:               cmp.Or(o.MaxSamples, defaultMaxSamples),
		Timeout:                  cmp.Or(o.Timeout, defaultTimeout),
		LookbackDelta:            cmp.Or(o.Lookback, defaultLookback),
		NoStepSubqueryIntervalFn: func(int64) int64 { return subqueryStep.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   parser.NewParser(parser.Options{}),
	})
	s.routes()
	return s, nil
}

func openHead(dir string) (*tsdb.Head, error) {
	o := tsdb.DefaultHeadOptions()
	o.ChunkDirRoot = dir
	o.ChunkRange = chunkRange.Milliseconds()
	o.StripeSize = stripes
	head, err := tsdb.NewHead(nil, slog.New(slog.DiscardHandler), nil, nil, o, nil)
	if err != nil {
		return nil, err
	}
	if err := head.Init(math.MinInt64); err != nil {
		return nil, errors.Join(err, head.Close())
	}
	return head, nil
}

// Append stores the samples, all or none. Samples of one series must come in
// the order of time, no two with the same time.
func (s *Server) Append(ctx context.Context, samples ...Sample) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ErrClosed
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	b := batch{app: s.head.Appender(ctx), newest: make(map[storage.SeriesRef]int64)}
	for _, v := range samples {
		if err := b.add(v); err != nil {
			return errors.Join(fmt.Errorf("append to %s at %v: %w", v.Labels, v.T.UTC(), err), b.app.Rollback())
		}
	}
	return b.app.Commit()
}

// batch is one Append. The storage drops samples that are out of order within
// one batch without a word, so that is checked here.
type batch struct {
	app    storage.Appender
	newest map[storage.SeriesRef]int64
}

func (b batch) add(v Sample) error {
	var ref storage.SeriesRef
	var err error
	t := v.T.UnixMilli()
	if v.H != nil {
		ref, err = b.app.AppendHistogram(0, v.Labels, t, nil, v.H)
	} else {
		ref, err = b.app.Append(0, v.Labels, t, v.V)
	}
	if err != nil {
		return err
	}
	if last, ok := b.newest[ref]; ok && t <= last {
		return storage.ErrOutOfOrderSample
	}
	b.newest[ref] = t
	return nil
}

// Truncate forgets samples older than t to save memory. Some older ones may
// stay, and t may not be later than the newest sample.
func (s *Server) Truncate(t time.Time) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ErrClosed
	}
	return s.head.Truncate(t.UnixMilli())
}

// Querier gives the query engine access to the samples in [mint, maxt], in
// milliseconds. It implements storage.Queryable.
func (s *Server) Querier(mint, maxt int64) (storage.Querier, error) {
	if s.closed { // the caller holds mu
		return nil, ErrClosed
	}
	return tsdb.NewBlockQuerier(tsdb.NewRangeHead(s.head, mint, maxt), mint, maxt)
}

// ServeHTTP serves /api/v1/query, /api/v1/query_range and /-/ready.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close waits for queries under way, stops the server and removes what it kept
// on disk. Closing it again does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return errors.Join(s.engine.Close(), s.head.Close(), os.RemoveAll(s.dir))
}
