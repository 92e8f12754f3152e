package bench

import (
	"context"
	"errors"
	"math"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
)

// scaler is the built scaler with triggers on a bed.
type scaler struct {
	*rig.Scaler
	rhythm

	bed    *bed
	client pb.ExternalScalerClient
	refs   []*pb.ScaledObjectRef
}

func (b *bed) startScaler(t *testing.T, r rhythm, triggers []*pb.ScaledObjectRef) *scaler {
	t.Helper()
	s := &scaler{rhythm: r, bed: b, refs: triggers}
	s.Scaler = rig.StartScaler(t, "scaler", rig.Config{
		Interval: r.interval.String(), Timeout: min(r.interval, 10*time.Second).String(), Offset: r.offset.String(),
		Sources: map[string]string{"default": b.proxy.URL},
	}.Write(t), "--http-pprof")
	s.client = pb.NewExternalScalerClient(rig.Dial(t, s.GRPC))
	return s
}

// enter has the scaler see all of its triggers for the first time.
func (s *scaler) enter(ctx context.Context) {
	next := make(chan *pb.ScaledObjectRef)
	var group sync.WaitGroup
	for range 1000 { // KEDA has a goroutine for each ScaledObject
		group.Go(func() {
			for ref := range next {
				// What is not known yet is an error, and is looked at later.
				_, _ = s.client.GetMetrics(ctx, &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: "zmy"})
			}
		})
	}
	for _, ref := range s.refs {
		next <- ref
	}
	close(next)
	group.Wait()
}

// settle waits until all triggers are on time, at most some intervals, and
// returns how many it took; one more if they are not.
func (s *scaler) settle(ctx context.Context, t *testing.T, intervals int) int {
	t.Helper()
	late := 0
	for i := range intervals {
		s.ends(ctx, t)
		if late = s.late(ctx, t); late == 0 {
			return i + 1
		}
	}
	rig.Say(t, "      after %d intervals %d of %d triggers are late", intervals, late, len(s.refs))
	return intervals + 1
}

// late returns how many of the bed's fleets the scaler has, at the end of an
// interval, no yield of, the wrong one, or one that is older than the interval.
func (s *scaler) late(ctx context.Context, t *testing.T) int {
	t.Helper()
	s.atEnd(ctx, t)
	allowed := (s.interval + s.offset + before).Seconds()
	yields, ages := map[string]float64{}, map[string]float64{}
	line := regexp.MustCompile(`^zmy_scaler_(yield_ratio|sample_age_seconds)\{.*scaled_object="([^"]+)".*\} (\S+)`)
	for text := range strings.Lines(string(get(ctx, t, "http://"+s.HTTP+"/metrics"))) {
		m := line.FindStringSubmatch(text)
		switch {
		case m == nil:
		case m[1] == "yield_ratio":
			yields[m[2]] = parse(t, m[3])
		default:
			ages[m[2]] = parse(t, m[3])
		}
	}
	late := 0
	for i := range s.bed.n {
		name := fleetName(i)
		yield, known := yields[name]
		if !known || math.Abs(yield-s.bed.yield(i)) > 1e-9 || ages[name] > allowed {
			late++
		}
	}
	return late
}

// answers are how long two servers took to answer the same calls.
type answers struct {
	// p50 and p99 are those of the scaler over those of the empty server, the
	// median of all intervals.
	p50, p99 float64
	// took is how long the scaler took.
	took latencies
	// failed is how many calls ended in an error.
	failed int
}

// callsPerAsk is how many calls askAsKEDA makes to the scaler for each to the empty
// server.
const callsPerAsk = 3

// askAsKEDA calls the scaler as KEDA does until ctx ends: for each trigger, once
// an interval for the HPA and every other interval for the scale loop, spread
// over the interval. The empty server is asked for values as often.
func (s *scaler) askAsKEDA(ctx context.Context, empty pb.ExternalScalerClient) answers {
	var a answers
	var p50, p99 []float64
	for ctx.Err() == nil {
		var mu sync.Mutex
		var ours, floor latencies
		s.spread(ctx, len(s.refs)*3/2, func(i int) {
			ref := s.refs[i%len(s.refs)]
			req := &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: "zmy"}
			var took [2]time.Duration
			var errs [4]error
			for j := range took { // in turns who comes first
				which := (i + j) % 2
				begun := time.Now()
				_, errs[which] = []pb.ExternalScalerClient{empty, s.client}[which].GetMetrics(ctx, req)
				took[which] = time.Since(begun)
			}
			_, errs[2] = s.client.GetMetricSpec(ctx, ref)
			_, errs[3] = s.client.IsActive(ctx, ref)
			if ctx.Err() != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if err := errors.Join(errs[:]...); err != nil {
				a.failed++
			}
			floor, ours = append(floor, took[0]), append(ours, took[1])
		})
		if ctx.Err() == nil || len(p99) == 0 {
			p50 = append(p50, ours.at(0.5).Seconds()/floor.at(0.5).Seconds())
			p99 = append(p99, ours.at(0.99).Seconds()/floor.at(0.99).Seconds())
		}
		a.took = append(a.took, ours...)
	}
	a.p50, a.p99 = median(p50), median(p99)
	return a
}

// spread makes n calls evenly over an interval, some at the same time.
func (s *scaler) spread(ctx context.Context, n int, call func(i int)) {
	next := make(chan int)
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for i := range next {
				call(i)
			}
		})
	}
	begun := time.Now()
	for i := range n {
		if ahead := time.Until(begun.Add(s.interval * time.Duration(i) / time.Duration(n))); ahead > time.Millisecond {
			timer := time.NewTimer(ahead)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
			}
		}
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	group.Wait()
}

// askFast calls as fast as it can until ctx ends, and returns how often.
func (s *scaler) askFast(ctx context.Context) int {
	var group sync.WaitGroup
	counts := make([]int, 16)
	for caller := range counts {
		group.Go(func() {
			for i := caller; ctx.Err() == nil; i += len(counts) {
				ref := s.refs[i%len(s.refs)]
				if _, err := s.client.GetMetrics(ctx, &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: "zmy"}); err == nil {
					counts[caller]++
				}
			}
		})
	}
	group.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum
}
