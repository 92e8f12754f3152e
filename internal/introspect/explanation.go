package introspect

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
	zmyv1 "github.com/infra-arch/zmy-scaler/proto/zmy/v1"
)

// Explanation returns one trigger in depth.
func Explanation(d engine.Detail, now time.Time) *zmyv1.Explanation {
	p := &d.Trigger.Policy
	x := &zmyv1.Explanation{
		Trigger: Trigger(d.Status, now), Metadata: d.Metadata,
		Interval: durationpb.New(p.Grid.Interval()), Lookback: durationpb.New(p.Lookback),
		Series: series(d), Queries: queries(d),
		Recent: decisions(d.Recent), Changes: decisions(d.Changes),
	}
	if d.Err == nil {
		x.Facts, x.Timers = facts(d.Answer), timers(d.Answer, now)
	}
	return x
}

func series(d engine.Detail) []*zmyv1.Series {
	var all []*zmyv1.Series
	for role, samples := range d.Window {
		if len(samples) == 0 {
			continue
		}
		s := &zmyv1.Series{Role: zmy.Role(role).String()}
		for i, v := range samples {
			s.Samples = append(s.Samples, sample(d.Trigger.Policy.Grid, d.Oldest+zmy.Tick(i), v))
		}
		all = append(all, s)
	}
	return all
}

func sample(g zmy.Grid, k zmy.Tick, v zmy.Sample) *zmyv1.Sample {
	s := &zmyv1.Sample{At: timestamppb.New(g.Time(k)), State: v.State.String(), Partial: v.Partial}
	if v.OK() {
		s.Value = &v.Value
	}
	return s
}

func queries(d engine.Detail) []*zmyv1.Query {
	var all []*zmyv1.Query
	for _, q := range d.Queries {
		out := &zmyv1.Query{Role: q.Role.String(), Text: q.Text, Sent: q.Sent}
		if q.Err != nil {
			out.Error = q.Err.Error()
		}
		if samples := d.Window[q.Role]; len(samples) > 0 {
			last := len(samples) - 1
			out.Newest = sample(d.Trigger.Policy.Grid, d.Oldest+zmy.Tick(last), samples[last])
		}
		all = append(all, out)
	}
	return all
}

func decisions(records []engine.Record) []*zmyv1.Decision {
	var all []*zmyv1.Decision
	for _, r := range records {
		d := &zmyv1.Decision{At: timestamppb.New(r.At), Band: r.Told.Band.String(), Reason: r.Told.Reason.String()}
		if r.YieldOK {
			d.Yield = &r.Yield
		}
		if r.CountKnown {
			d.Replicas, d.Desired = number(r.Replicas), number(r.Desired)
		}
		if !r.Told.NoValue {
			value := float64(r.Told.Value) / 1000
			d.Value = &value
		}
		if !r.Told.NoActivity {
			d.Active = &r.Told.Active
		}
		all = append(all, d)
	}
	return all
}
