package tune

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// draw returns a policy from anywhere in the space: a target, and bands around it
// that are proportional to it.
func (s *space) draw(rng *rand.Rand) policy {
	return s.around(rng, 10+rng.IntN(82), pick(rng, downDelays()))
}

// near returns policies that do about what a plain trigger does, with fewer changes:
// the HPA's tolerance as a band, the fleet as full as that trigger lets it become, and
// delays instead of what its window is longer than the one that our HPA has. They
// differ in what they give for the changes.
func (s *space) near(p *Plain) []policy {
	t := p.Target
	window := time.Duration(p.Stabilization) * time.Second
	delay := func(d time.Duration) time.Duration { return s.delay(d - s.plan.Object.Behavior.Down.Window) }
	up := min(mostUp, int(math.Ceil(float64(t)*(1+s.plan.Object.Behavior.Up.Tolerance))))
	all := []policy{
		// It waits for longer, and goes down as far as it may.
		{up: up, target: t * 96 / 100, down: t * 90 / 100, mode: "safe", downDelay: delay(window*3/2 + time.Minute)},
		// It goes down seldom, then far and soon.
		{up: up, target: t * 87 / 100, down: t * 75 / 100, mode: "safe", downDelay: delay(window / 3)},
		// It is fuller, and waits for longer.
		{up: up, target: min(up-3, t*105/100), down: t * 94 / 100, mode: "proportional", downDelay: delay(window + 2*time.Minute)},
		// It grows when it is full only, looks twice before it does, and then grows by
		// more.
		{up: max(up-3, 95), target: t * 80 / 100, down: t * 63 / 100, mode: "proportional", upDelay: 15 * time.Second, downDelay: delay(window / 2)},
		{up: max(up-3, 95), target: t * 75 / 100, down: t * 60 / 100, mode: "proportional", upDelay: 30 * time.Second, downDelay: delay(window / 2)},
	}
	for i := range all {
		all[i].lookback = s.lookback(p.Lookback)
		all[i].repair()
	}
	return all
}

// lookback is the lookback that can be had nearest to some seconds.
func (s *space) lookback(seconds int) time.Duration {
	want := time.Duration(seconds) * time.Second
	return slices.MinFunc(s.lookbacks(), func(a, b time.Duration) int { return cmp.Compare((a - want).Abs(), (b - want).Abs()) })
}

// delay is the shortest of the delays that are searched from d on, or the longest.
func (s *space) delay(d time.Duration) time.Duration {
	delays := downDelays()
	if i := slices.IndexFunc(delays, func(v time.Duration) bool { return v >= d }); i >= 0 {
		return delays[i]
	}
	return delays[len(delays)-1]
}

// wide returns policies whose band is as wide as the demand: a fleet that is large
// enough for its peaks is left alone when there is little to do. How full it may be
// at a peak differs.
func (s *space) wide(demand []float64) []policy {
	sorted := slices.Sorted(slices.Values(demand))
	low, high := sorted[len(sorted)/50], sorted[len(sorted)-1-len(sorted)/500]
	var all []policy
	for _, full := range []int{95, 85, 75, 60, 45} {
		for _, delay := range []time.Duration{10 * time.Minute, 2 * time.Hour} {
			p := policy{
				up: full + 3, target: full, down: int(0.9 * float64(full) * low / max(high, 1e-9)),
				mode: modes()[0], lookback: s.lookbacks()[0], downDelay: delay,
			}
			p.repair()
			all = append(all, p)
		}
	}
	return all
}

func (s *space) around(rng *rand.Rand, target int, delay time.Duration) policy {
	p := policy{
		target: target,
		up:     target * pick(rng, []int{105, 110, 115, 125, 140, 180, 300}) / 100,
		down:   target * pick(rng, []int{95, 90, 85, 75, 60, 40, 25, 10}) / 100,
		mode:   pick(rng, modes()), lookback: pick(rng, s.lookbacks()),
		upDelay: pick(rng, upDelays()), downDelay: delay,
	}
	p.repair()
	return p
}
