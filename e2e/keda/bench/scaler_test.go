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

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/proc"
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
				_ = metrics(ctx, s.client, ref)
			}
		})
	}
	for _, ref := range s.refs {
		next <- ref
	}
	close(next)
	group.Wait()
}

// metrics asks a server for the metrics of a trigger.
func metrics(ctx context.Context, client pb.ExternalScalerClient, ref *pb.ScaledObjectRef) error {
	_, err := client.GetMetrics(ctx, &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: "zmy"})
	return err
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
	begun := time.Now()
	text := string(get(ctx, t, "http://"+s.HTTP+"/metrics"))
	// They age while they are collected.
	allowed := (s.interval + s.offset + before + time.Since(begun)).Seconds()
	yields, ages := map[string]float64{}, map[string]float64{}
	line := regexp.MustCompile(`^zmy_scaler_(yield_ratio|sample_age_seconds)\{.*scaled_object="([^"]+)".*\} (\S+)`)
	for l := range strings.Lines(text) {
		m := line.FindStringSubmatch(l)
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

// answers are how a server answered KEDA's calls, interval by interval.
type answers struct {
	span

	p50, p99 []float64 // seconds
	failed   int
}

// over returns the medians of how its latencies compare with those of another
// server in the same turn.
func (a answers) over(floor answers) (p50, p99 float64) {
	var halves, tails []float64
	for i := range a.p50 {
		halves, tails = append(halves, a.p50[i]/floor.p50[i]), append(tails, a.p99[i]/floor.p99[i])
	}
	return median(halves), median(tails)
}

// inTurns has the scaler and the empty server called as KEDA calls, an interval each
// in turn, n times. The scaler goes on evaluating all the while, so that both
// answer on a machine that is as busy.
func (s *scaler) inTurns(ctx context.Context, t *testing.T, empty floor, n int) (ours, theirs answers) {
	t.Helper()
	client := empty.client(t)
	for range n {
		s.turn(ctx, t, &ours, s.Process, s.client)
		s.turn(ctx, t, &theirs, empty.Process, client)
	}
	return ours, theirs
}

// turn has one server called for an interval.
func (s *scaler) turn(ctx context.Context, t *testing.T, a *answers, p *proc.Process, client pb.ExternalScalerClient) {
	t.Helper()
	var took latencies
	a.add(s.bed.measure(ctx, t, s.rhythm, 1, p, func(ctx context.Context) {
		var failed int
		took, failed = s.askAsKEDA(ctx, client)
		a.failed += failed
	}))
	a.p50, a.p99 = append(a.p50, took.at(0.5).Seconds()), append(a.p99, took.at(0.99).Seconds())
}

// askAsKEDA calls a server as KEDA does, for an interval or until ctx ends: for each
// trigger, once for the HPA and every other time for the scale loop, spread over the
// interval. It returns how long values took, and how many calls failed.
func (s *scaler) askAsKEDA(ctx context.Context, client pb.ExternalScalerClient) (latencies, int) {
	var mu sync.Mutex
	var took latencies
	failed := 0
	s.spread(ctx, len(s.refs)*3/2, func(i int) {
		ref := s.refs[i%len(s.refs)]
		_, spec := client.GetMetricSpec(ctx, ref)
		begun := time.Now()
		value := metrics(ctx, client, ref)
		d := time.Since(begun)
		_, active := client.IsActive(ctx, ref)
		if ctx.Err() != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if errors.Join(spec, value, active) != nil {
			failed++
		}
		took = append(took, d)
	})
	return took, failed
}

// askedOnce measures n intervals in each of which every trigger is asked for its
// metrics once.
func (s *scaler) askedOnce(ctx context.Context, t *testing.T, n int) span {
	t.Helper()
	var all span
	for range n {
		all.add(s.bed.measure(ctx, t, s.rhythm, 1, s.Process, func(ctx context.Context) {
			s.spread(ctx, len(s.refs), func(i int) {
				// Calls that fail are counted where the answers are measured.
				_ = metrics(ctx, s.client, s.refs[i])
			})
		}))
	}
	return all
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
				if err := metrics(ctx, s.client, s.refs[i%len(s.refs)]); err == nil {
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
