package trigger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// fromEnv is what KEDA leaves at the end of a key whose value it took from the
// environment of the workers.
const fromEnv = "FromEnv"

// Parse reads the metadata of a trigger as KEDA sends it. The error is [Faults],
// everything that is wrong: values first, in the order of the table, then what is
// missing or does not fit together, then keys that nobody knows.
func Parse(metadata map[string]string, server Server) (*Trigger, error) {
	return newParser(metadata, server).parse(metadata, server)
}

// ParseManifest reads the metadata of a trigger as it stands in a manifest, where
// a key that ends in FromEnv holds the name of a variable of the workers. What the
// variable holds is not known: such keys are listed in Trigger.FromEnv, have their
// defaults, and are blamed for nothing.
func ParseManifest(metadata map[string]string, server Server) (*Trigger, error) {
	p := newParser(metadata, server)
	p.manifest = true
	return p.parse(metadata, server)
}

func newParser(metadata map[string]string, server Server) *parser {
	t := &Trigger{given: make(map[string]Value, len(metadata)), interval: server.Interval}
	return &parser{t: t, keys: Keys(), broken: map[string]bool{}}
}

func (p *parser) parse(metadata map[string]string, server Server) (*Trigger, error) {
	strangers := p.collect(metadata)
	for _, k := range p.keys {
		p.apply(k)
	}
	p.require()
	p.cross(server)
	p.finish()
	if p.faults = append(p.faults, strangers...); len(p.faults) > 0 {
		return nil, p.faults
	}
	return p.t, nil
}

type parser struct {
	t      *Trigger
	keys   []Key
	faults Faults
	// broken holds the keys whose value is unusable, so that no cross-check
	// blames another key for it.
	broken map[string]bool
	// manifest tells that keys ending in FromEnv hold names, not values.
	manifest bool
}

// collect sorts the metadata into known keys and returns the faults of all others.
func (p *parser) collect(metadata map[string]string) Faults {
	var strangers Faults
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		name, value := strings.TrimSuffix(key, fromEnv), strings.TrimSpace(metadata[key])
		known := slices.ContainsFunc(p.keys, func(k Key) bool { return k.Name == name })
		other, twice := p.t.given[name]
		switch {
		case known && twice:
			p.fail(name, Fault{Key: name, Problem: fmt.Sprintf("given twice, as %s and %s: keep one", other.Key, key)})
		case known && p.manifest && key != name:
			p.t.FromEnv = append(p.t.FromEnv, name)
			p.broken[name] = true
		case known:
			p.t.given[name] = Value{Key: key, Text: value}
		case looksSecret(name):
			strangers = append(strangers, Fault{Key: key, Problem: "looks like a secret, and trigger metadata is plain text: put credentials into the source's http settings in the scaler's configuration"})
		default:
			strangers = append(strangers, Fault{Key: key, Value: value, Problem: fmt.Sprintf("unknown key; did you mean %q?", nearest(name, p.keys))})
		}
	}
	return strangers
}

// apply sets one key from what was given or from its default.
func (p *parser) apply(k Key) {
	v, given := p.t.given[k.Name]
	switch {
	case k.set == nil || p.broken[k.Name] && !slices.Contains(p.t.FromEnv, k.Name):
		return
	case !given && k.Literal:
		v = Value{Key: k.Name, Text: k.Default}
	case !given:
		return
	case v.Text == "":
		p.fail(k.Name, Fault{Key: v.Key, Problem: "is empty: leave the key out, or give it a value"})
		return
	}
	if err := k.set(p.t, v.Text); err != nil {
		p.fail(k.Name, Fault{Key: v.Key, Value: v.Text, Problem: err.Error()})
	}
}

func (p *parser) fail(name string, f Fault) {
	p.broken[name] = true
	p.faults = append(p.faults, f)
}

// blame reports a fault between keys on one of them, unless any is broken already.
func (p *parser) blame(name string, others []string, format string, args ...any) {
	if p.broken[name] || slices.ContainsFunc(others, func(o string) bool { return p.broken[o] }) {
		return
	}
	shown := p.shown(name)
	p.faults = append(p.faults, Fault{Key: shown.Key, Value: shown.Text, Problem: fmt.Sprintf(format, args...)})
}

// shown returns a key's entry as given, or its default.
func (p *parser) shown(name string) Value {
	if v, ok := p.t.given[name]; ok {
		return v
	}
	for _, k := range p.keys {
		if k.Name == name && k.Literal {
			return Value{Key: name, Text: k.Default}
		}
	}
	return Value{Key: name}
}

func (p *parser) require() {
	if _, ok := p.t.given["zmyQuery"]; !ok && !p.broken["zmyQuery"] {
		p.fail("zmyQuery", Fault{Key: "zmyQuery", Problem: "is required: PromQL giving one value between 0 (saturated) and 1 (idle)"})
	}
}

// cross checks keys against one another.
func (p *parser) cross(server Server) {
	t, d := p.t, &p.t.Policy
	quote := func(name string) string { return fmt.Sprintf("%s %q", name, p.shown(name).Text) }
	const up, down, inactive, target = "scaleUpThreshold", "scaleDownThreshold", "inactiveThreshold", "triggerThreshold"

	if d.Up >= d.Down {
		p.blame(up, []string{down}, "must be below %s", quote(down))
	}
	if d.Down > d.Inactive {
		p.blame(down, []string{inactive}, "must not be above %s", quote(inactive))
	}
	// A hair's breadth keeps 10 from passing as above 100 * (1 - 0.9).
	const hair = 1e-9
	if low, high := 1-d.Down, 1-d.Up; d.Up < d.Down && (d.Target <= low+hair || d.Target >= high-hair) {
		p.blame(target, []string{up, down}, "must be above %.6g and below %.6g, which is 100 x (1 - %s) and 100 x (1 - %s), so that a fleet sized to it lands in the hold band",
			100*low, 100*high, quote(down), quote(up))
	}
	if _, ok := t.given["cpuWeight"]; ok {
		if _, ok := t.given["cpuQuery"]; !ok {
			p.blame("cpuWeight", []string{"cpuQuery"}, "needs cpuQuery: there is no CPU to weigh")
		}
	}
	if !p.broken["interval"] && t.interval%server.Interval != 0 {
		p.blame("interval", nil, "must be a multiple of the server's interval %v", server.Interval)
		p.broken["interval"] = true
	}
	if _, ok := t.given["maxStaleness"]; ok && t.maxStaleness < t.interval {
		p.blame("maxStaleness", []string{"interval"}, "must be at least the interval, %v: no sample would ever be fresh", t.interval)
	}
}

// finish derives what has no literal default, and bounds the window.
func (p *parser) finish() {
	t, d := p.t, &p.t.Policy
	grid, err := zmy.NewGrid(t.interval)
	if err != nil {
		p.blame("interval", nil, "%v", err)
		return
	}
	d.Grid = grid
	d.Lookback = t.lookback
	if d.Lookback == 0 && !p.broken["zmyQuery"] {
		if d.Lookback, err = promquery.Lookback(t.Queries[zmy.Yield], t.interval); err != nil {
			p.blame("zmyQuery", nil, "%v", err)
			return
		}
		if d.Lookback > maxDuration {
			p.blame("zmyQuery", nil, "must not look back for longer than %v", model.Duration(maxDuration))
			return
		}
	}
	d.MaxStaleness = t.maxStaleness
	if d.MaxStaleness == 0 {
		d.MaxStaleness = max(3*t.interval, time.Minute)
	}
	d.HasCPU = t.Queries[zmy.CPU] != ""
	d.HasWorkers = t.Queries[zmy.Workers] != ""
	d.HasWake = t.Queries[zmy.Wake] != ""
	d.HasGuard = t.Queries[zmy.Guard] != ""
	p.bound()
}

// bound refuses windows of more than MaxWindow instants, on the key that asks
// for the longest stretch.
func (p *parser) bound() {
	d := &p.t.Policy
	if p.broken["interval"] || d.Ticks() <= MaxWindow {
		return
	}
	longest, key := d.DownDelay, "scaleDownDelay"
	lookback := "zmyLookback"
	if p.t.lookback == 0 {
		lookback = "zmyQuery"
	}
	for _, c := range []struct {
		d   time.Duration
		key string
	}{{d.UpDelay, "scaleUpDelay"}, {d.HoldFor, "holdFor"}, {d.MaxStaleness, "maxStaleness"}, {d.Lookback, lookback}} {
		if c.d > longest {
			longest, key = c.d, c.key
		}
	}
	p.blame(key, nil, "the window would hold %d instants %v apart, and at most %d are kept: shorten it, or lengthen the interval", d.Ticks(), p.t.interval, MaxWindow)
}
