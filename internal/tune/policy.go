package tune

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/backtest"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// policy is one policy, in loads rather than yields, and in whole percents. It is
// comparable.
type policy struct {
	// up is the load above which the fleet grows, target the one it is sized to,
	// down the one below which it shrinks: down < target < up.
	up, target, down int
	upDelay          time.Duration
	downDelay        time.Duration
	lookback         time.Duration
	mode             string
}

// The values that are searched. Loads are searched in whole percents.
const (
	leastDown, mostUp = 1, 99
	// gap is the least distance between two loads.
	gap = 1
)

func upDelays() []time.Duration {
	return []time.Duration{0, 15 * time.Second, 30 * time.Second, 45 * time.Second, time.Minute, 90 * time.Second, 2 * time.Minute, 5 * time.Minute}
}

func downDelays() []time.Duration {
	return []time.Duration{
		0, 30 * time.Second, time.Minute, 2 * time.Minute, 3 * time.Minute, 5 * time.Minute, 7 * time.Minute,
		10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, 45 * time.Minute,
		time.Hour, 90 * time.Minute, 2 * time.Hour,
	}
}

func modes() []string { return []string{"proportional", "safe"} }

// space is where policies are looked for.
type space struct {
	plan *backtest.Plan
	// queries holds the zmyQuery of each lookback that can be had.
	queries map[time.Duration]string
	server  trigger.Server
}

// newSpace finds out which lookbacks the trigger's query can be given.
func newSpace(p *backtest.Plan, server trigger.Server) *space {
	s := &space{plan: p, server: server, queries: map[time.Duration]string{}}
	d := &p.Trigger.Policy
	query := p.Metadata["zmyQuery"]
	if _, given := p.Metadata["zmyLookback"]; given || query == "" {
		s.queries[d.Lookback] = query
		return s
	}
	interval := d.Grid.Interval()
	for _, lookback := range []time.Duration{interval, time.Minute, 2 * time.Minute, 5 * time.Minute} {
		if q, ok := promquery.WithLookback(query, lookback, interval); ok && lookback >= interval {
			s.queries[lookback] = q
		}
	}
	s.queries[d.Lookback] = query
	return s
}

func (s *space) lookbacks() []time.Duration { return slices.Sorted(maps.Keys(s.queries)) }

// metadata is what to paste: the trigger's with the policy's keys in it.
func (s *space) metadata(p policy) map[string]string {
	m := maps.Clone(s.plan.Metadata)
	set := func(key, v string) {
		m[key] = v
		delete(m, key+"FromEnv") // a key in both forms would be given twice
	}
	yield := func(load int) string { return strconv.FormatFloat(float64(100-load)/100, 'f', -1, 64) }
	set("scaleUpThreshold", yield(p.up))
	set("scaleDownThreshold", yield(p.down))
	set("triggerThreshold", strconv.Itoa(p.target))
	set("scaleUpDelay", strconv.Itoa(int(p.upDelay.Seconds())))
	set("scaleDownDelay", strconv.Itoa(int(p.downDelay.Seconds())))
	set("scaleDownMode", p.mode)
	if q := s.queries[p.lookback]; q != "" {
		set("zmyQuery", q)
	}
	// A fleet that is idle enough to shrink may not be idle enough to sleep.
	if inactive := s.plan.Trigger.Policy.Inactive; inactive < float64(100-p.down)/100 {
		set("inactiveThreshold", yield(p.down))
	}
	return m
}

// repair makes the loads fit together.
func (p *policy) repair() {
	p.up = min(mostUp, max(p.up, leastDown+2*gap))
	p.down = max(leastDown, min(p.down, p.up-2*gap))
	p.target = max(p.down+gap, min(p.target, p.up-gap))
}

// vary returns a neighbour of a policy: one or two of its values are moved a step.
func (s *space) vary(rng *rand.Rand, p policy) policy {
	for range 1 + rng.IntN(2) {
		step := pick(rng, []int{-5, -3, -2, -1, 1, 2, 3, 5})
		switch rng.IntN(9) {
		case 0:
			p.up += step
		case 1:
			p.target += step
		case 2:
			p.down += step
		case 3: // the whole band, or how full the fleet is between two changes
			p.target, p.down = p.target+step, p.down+step
			if rng.IntN(2) == 0 {
				p.up += step
			}
		case 4:
			p.upDelay = beside(rng, upDelays(), p.upDelay)
		case 5, 8:
			p.downDelay = beside(rng, downDelays(), p.downDelay)
		case 6:
			p.lookback = beside(rng, s.lookbacks(), p.lookback)
		default:
			p.mode = pick(rng, modes())
		}
	}
	p.repair()
	return p
}

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// beside returns the value before or after one in a list.
func beside(rng *rand.Rand, list []time.Duration, v time.Duration) time.Duration {
	i := slices.Index(list, v) + 1 - 2*rng.IntN(2)
	return list[max(0, min(i, len(list)-1))]
}
