package demo

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	pb "github.com/kedacore/keda/v2/pkg/scalers/externalscaler"

	"github.com/infra-arch/zmy-scaler/internal/autoscaler"
	"github.com/infra-arch/zmy-scaler/internal/clock"
	"github.com/infra-arch/zmy-scaler/internal/manifest"
)

// callTimeout bounds one call of the scaler, on the wall's clock.
const callTimeout = 5 * time.Second

// operator stands in for KEDA and the HPA of one workload: it asks the scaler as
// they do, and scales the fleet by the answers.
type operator struct {
	*member

	client pb.ExternalScalerClient
	clock  clock.Clock
	// told hears what came of every turn.
	told audience

	mu         sync.Mutex
	hpa        *autoscaler.HPA
	activation autoscaler.Activation
	next       plan

	// plan is next as others may read it, at any time.
	plan atomic.Pointer[plan]
}

// audience hears what operators do.
type audience interface {
	// why says how the fleet's trigger stands, which is why it is scaled now.
	why(o *operator, now time.Time) row
	// scaled tells a size that KEDA or the HPA has given a fleet.
	scaled(s scaling)
	// failed tells that a trigger could not be asked.
	failed(o *operator, now time.Time, err error)
}

// scaling is a size that KEDA or the HPA has given a fleet; from and to are
// equal where the HPA let the fleet be.
type scaling struct {
	*operator

	at       time.Time
	from, to int
	why      row
}

// plan is what an operator will do when.
type plan struct {
	poll, sync time.Time
	// sleep is when an inactive fleet goes to zero; the zero time for never.
	sleep time.Time
}

func newOperator(m *member, client pb.ExternalScalerClient, clk clock.Clock, told audience) *operator {
	o := &operator{
		member: m, client: client, clock: clk, told: told,
		hpa:        autoscaler.NewHPA(m.min, m.max, behavior()),
		activation: autoscaler.Activation{Min: m.min, Cooldown: m.cooldown, LastActive: clk.Now()},
	}
	o.publish()
	return o
}

// behavior is what the project's samples recommend: the defaults upward, and
// downward no window of the HPA's own, since the scaler has waited already.
func behavior() manifest.Behavior {
	b := manifest.DefaultBehavior()
	b.Given, b.Down.Window = true, 0
	return b
}

// publish lets others read the plan. The operator's mu is held.
func (o *operator) publish() {
	p := o.next
	if at, ok := o.activation.SleepsAt(); ok {
		p.sleep = at
	}
	o.plan.Store(&p)
}

// poll is one turn of KEDA's scale loop.
func (o *operator) poll(ctx context.Context, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next.poll = now.Add(o.polling)
	active, failed := false, false
	for _, t := range o.triggers {
		_, is, err := o.ask(ctx, t)
		active = active || is
		if err != nil {
			failed = true
			o.fail(ctx, now, err)
		}
	}
	if ctx.Err() != nil {
		return
	}
	o.wakeOrSleep(now, active, failed)
}

// pushed takes a true from the stream of an external-push trigger.
func (o *operator) pushed(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wakeOrSleep(now, true, false)
}

func (o *operator) wakeOrSleep(now time.Time, active, failed bool) {
	spec := o.fleet.Read().Spec
	want := o.activation.Check(now, spec, active, failed)
	o.publish()
	if want != spec {
		o.scale(now, spec, want)
	}
}

// sync is one turn of the HPA.
func (o *operator) sync(ctx context.Context, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.next.sync = now.Add(autoscaler.SyncPeriod)
	o.publish()
	if o.fleet.Read().Spec == 0 {
		return // a HPA does nothing at zero
	}
	metrics := make([]autoscaler.Metric, 0, len(o.triggers))
	for _, t := range o.triggers {
		m, _, err := o.ask(ctx, t)
		if err != nil {
			m.Failed = true
			o.fail(ctx, now, err)
		}
		metrics = append(metrics, m)
	}
	if ctx.Err() != nil {
		return
	}
	r := o.fleet.Read()
	want := o.hpa.Sync(now, autoscaler.Counts{Spec: r.Spec, Status: r.Spec, Ready: r.Ready}, metrics...)
	o.scale(now, r.Spec, want)
}

func (o *operator) scale(now time.Time, from, to int) {
	s := scaling{operator: o, at: now, from: from, to: to, why: o.told.why(o, now)}
	if from != to {
		o.fleet.SetReplicas(to)
	}
	o.told.scaled(s)
}

// fail tells that the scaler did not answer, unless nobody waits for it any more.
func (o *operator) fail(ctx context.Context, now time.Time, err error) {
	if ctx.Err() == nil {
		o.told.failed(o, now, err)
	}
}

// ask makes the three calls that KEDA makes for one trigger.
func (o *operator) ask(ctx context.Context, t triggerSpec) (m autoscaler.Metric, active bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ref := o.ref(t)
	specs, err := o.client.GetMetricSpec(ctx, ref)
	if err != nil {
		return m, false, err
	}
	m.Type = t.metricType
	for _, spec := range specs.GetMetricSpecs() {
		m.Target = milli(spec.GetTargetSizeFloat(), spec.GetTargetSize())
		answer, err := o.client.GetMetrics(ctx, &pb.GetMetricsRequest{ScaledObjectRef: ref, MetricName: spec.GetMetricName()})
		if err != nil {
			return m, false, err
		}
		for _, v := range answer.GetMetricValues() {
			m.Usage += milli(v.GetMetricValueFloat(), v.GetMetricValue())
		}
	}
	is, err := o.client.IsActive(ctx, ref)
	return m, is.GetResult(), err
}

func (o *operator) ref(t triggerSpec) *pb.ScaledObjectRef {
	return &pb.ScaledObjectRef{Namespace: namespace, Name: o.name, ScalerMetadata: t.metadata}
}

// milli is how KEDA hands a number on: the float where it is above 0, with three
// decimals.
func milli(f float64, i int64) int64 {
	if !(f > 0) {
		return max(0, i) * 1000
	}
	v, err := strconv.ParseFloat(strconv.FormatFloat(f, 'f', 3, 64), 64)
	if err != nil {
		return 0
	}
	return int64(v*1000 + 0.5)
}

// run drives the operator until ctx ends.
func (o *operator) run(ctx context.Context, spawn func(func() error)) {
	loop := func(period time.Duration, turn func(context.Context, time.Time)) {
		spawn(func() error {
			return every(ctx, o.clock, period, func(now time.Time) error {
				turn(ctx, now)
				return nil
			})
		})
	}
	loop(o.polling, o.poll)
	loop(autoscaler.SyncPeriod, o.sync)
	if o.push {
		spawn(func() error { return o.follow(ctx) })
	}
}
