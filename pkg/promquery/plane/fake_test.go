package plane_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plane"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

const interval = 15 * time.Second

// behaviour is how a source treats a request.
type behaviour struct {
	takes time.Duration
	err   error
	warns bool
}

// fake is a source of queries such as avg(zmy{job="w7"}), which give 7. Each
// request takes a millisecond, and whatever its test says.
type fake struct {
	mu       sync.Mutex
	treat    func(jobs []string) behaviour
	requests [][]string // the jobs that each request asked for
	underWay int
	most     int
}

var tagged = regexp.MustCompile(`job="(w\d+)"[^"]*, "` + plan.Tag + `", "(\w+)"`)

var job = regexp.MustCompile(`w\d+`)

func (f *fake) Instant(ctx context.Context, query string, at time.Time) (promquery.Answer, error) {
	return f.Range(ctx, query, at, at, time.Second)
}

func (f *fake) Range(ctx context.Context, query string, from, to time.Time, step time.Duration) (promquery.Answer, error) {
	all, err := f.ask(ctx, []string{job.FindString(query)}, from, to, step)
	if err != nil {
		return promquery.Answer{}, err
	}
	return all[0], nil
}

func (f *fake) Split(ctx context.Context, query string, by promquery.By, from, to time.Time, step time.Duration) ([]promquery.Answer, error) {
	jobs := by.Keys
	if by.Label == plan.Tag {
		jobs = nil
		names := map[string]string{}
		for _, m := range tagged.FindAllStringSubmatch(query, -1) {
			names[m[2]] = m[1]
		}
		for _, k := range by.Keys {
			_, merged, ok := strings.Cut(k, ":")
			if !ok {
				merged = names[k]
			}
			jobs = append(jobs, merged)
		}
	}
	return f.ask(ctx, jobs, from, to, step)
}

func (f *fake) ask(ctx context.Context, jobs []string, from, to time.Time, step time.Duration) ([]promquery.Answer, error) {
	f.mu.Lock()
	f.requests = append(f.requests, jobs)
	f.underWay++
	f.most = max(f.most, f.underWay)
	b := behaviour{}
	if f.treat != nil {
		b = f.treat(jobs)
	}
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.underWay--
	}()
	select {
	case <-time.After(time.Millisecond + b.takes):
	case <-ctx.Done():
		kind := promquery.KindTimeout
		if errors.Is(ctx.Err(), context.Canceled) {
			kind = promquery.KindCanceled
		}
		return nil, &promquery.Error{Kind: kind, Err: ctx.Err()}
	}
	if b.err != nil {
		return nil, b.err
	}
	var all []promquery.Answer
	for _, j := range jobs {
		v, err := strconv.ParseFloat(j[1:], 64)
		if err != nil {
			return nil, err
		}
		a := promquery.Answer{}
		for at := from; !at.After(to); at = at.Add(step) {
			a.Points = append(a.Points, promquery.Point{State: zmy.Good, Value: v})
		}
		if b.warns {
			a.Warnings = []string{"half is missing"}
		}
		all = append(all, a)
	}
	return all, nil
}

func (f *fake) set(treat func(jobs []string) behaviour) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.treat = treat
}

// asked returns what was asked since it was last called.
func (f *fake) asked() [][]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.requests
	f.requests = nil
	return all
}

// with applies a behaviour to requests that ask for any of the jobs.
func with(b behaviour, jobs ...string) func([]string) behaviour {
	return func(asked []string) behaviour {
		for _, j := range jobs {
			if slices.Contains(asked, j) {
				return b
			}
		}
		return behaviour{}
	}
}

func fails(kind promquery.Kind) error {
	return &promquery.Error{Kind: kind, Err: errors.New("no")}
}

// rig is a plane on a fake source, and the asks of one round. Time is synthetic,
// and rounds begin at whole intervals.
type rig struct {
	t       *testing.T
	source  *fake
	plane   *plane.Plane
	asks    []plane.Ask
	started time.Time
	took    time.Duration // of the last round
}

func newRig(t *testing.T, limits plan.Limits) *rig {
	source := &fake{}
	return &rig{t: t, source: source, started: time.Now(), plane: plane.New(plane.Options{
		Querier: source, Limits: limits, MaxConcurrency: 8, Interval: interval,
	})}
}

// add adds asks of a namespace for the jobs w<from> to w<to-1>.
func (r *rig) add(namespace string, from, to int) {
	r.t.Helper()
	for i := from; i < to; i++ {
		q, err := r.plane.Use(fmt.Sprintf(`avg(zmy{job="w%d"})`, i))
		if err != nil {
			r.t.Fatal(err)
		}
		r.asks = append(r.asks, plane.Ask{Namespace: namespace, Query: q, Step: interval})
	}
}

// got is the result of an ask, and when it came.
type got struct {
	plane.Result
	after time.Duration
	times int
}

// round waits for the next interval and lets all asks be answered within 10 s.
func (r *rig) round() []got {
	r.t.Helper()
	now := time.Now()
	next := now.Truncate(interval).Add(interval)
	<-time.After(next.Sub(now))
	ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
	defer cancel()
	for i := range r.asks {
		r.asks[i].From, r.asks[i].To = next, next
	}
	results := make([]got, len(r.asks))
	r.plane.Run(ctx, r.asks, func(i int, res plane.Result) {
		results[i] = got{res, time.Since(next), results[i].times + 1}
	})
	r.took = time.Since(next)
	for i, g := range results {
		if g.times != 1 {
			r.t.Fatalf("ask %d was answered %d times", i, g.times)
		}
		if g.Err == nil {
			want := promquery.Point{State: zmy.Good, Value: r.value(i)}
			if len(g.Answer.Points) != 1 || g.Answer.Points[0] != want {
				r.t.Fatalf("ask %d: got %v, want %v", i, g.Answer.Points, want)
			}
		}
	}
	return results
}

func (r *rig) value(i int) float64 {
	v, err := strconv.ParseFloat(job.FindString(r.asks[i].Query.Text())[1:], 64)
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// bubble runs a test in synthetic time.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// bubbleOf runs one case of a random test in synthetic time.
func bubbleOf(t *testing.T, seed uint64, f func(t *testing.T, random *rand.Rand)) {
	t.Helper()
	t.Run(fmt.Sprint(seed), func(t *testing.T) {
		bubble(t, func(t *testing.T) { f(t, rand.New(rand.NewPCG(seed, 7))) })
	})
}
