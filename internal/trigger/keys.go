package trigger

import (
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// Kind is the kind of value a key takes.
type Kind string

// The kinds of values. All of them are written as strings, as KEDA has them.
const (
	Text     Kind = "text"
	PromQL   Kind = "PromQL"
	Ratio    Kind = "ratio"
	Number   Kind = "number"
	Duration Kind = "duration"
	Choice   Kind = "choice"
	Name     Kind = "name"
)

// Key is one key of the trigger metadata.
type Key struct {
	Name string
	Kind Kind
	// Default is what holds when the key is absent, in the words of the
	// reference; literal values stand in backquotes there.
	Default string
	// Literal tells that Default is a value one could write.
	Literal bool
	// Choices are the values a Choice takes.
	Choices []string
	// Doc says what the key means, in one or two sentences.
	Doc string

	// set stores a value; nil for KEDA's own keys, which are accepted and
	// ignored. It returns what is wrong with the value.
	set func(*Trigger, string) error
}

// Keys returns the table of all keys, in the order of the reference.
func Keys() []Key {
	keys := ownedByKEDA()
	keys = append(keys, queryKeys()...)
	keys = append(keys, bandKeys()...)
	keys = append(keys, cpuKeys()...)
	return append(keys, operationKeys()...)
}

func ownedByKEDA() []Key {
	return []Key{
		{Name: "scalerAddress", Kind: Text, Default: "required by KEDA", Doc: "Where KEDA reaches this scaler, such as `zmy-scaler.zmy-system:6000`."},
		{Name: "enableTLS", Kind: Text, Doc: "KEDA's own: connect with TLS. Accepted and ignored here."},
		{Name: "unsafeSsl", Kind: Text, Doc: "KEDA's own: do not verify the server's certificate. Accepted and ignored here."},
	}
}

func queryKeys() []Key {
	query := func(role zmy.Role) func(*Trigger, string) error {
		return func(t *Trigger, v string) error { return t.setQuery(role, v) }
	}
	return []Key{
		{
			Name: "source", Kind: Name, Default: "default", Literal: true, set: func(t *Trigger, v string) error {
				t.Source = v
				return nil
			},
			Doc: "The name of a source in the scaler's configuration. A URL is never taken from a trigger.",
		},
		{
			Name: "zmyQuery", Kind: PromQL, Default: "required", set: query(zmy.Yield),
			Doc: "PromQL giving one value in [0,1]: the idle share of the service the workers feed, 0 saturated and 1 idle.",
		},
		{
			Name: "zmyLookback", Kind: Duration, Default: "from the query's ranges", set: positive(func(t *Trigger) *dur { return (*dur)(&t.lookback) }),
			Doc: "The stretch of time one sample of the yield is averaged over. Needed only where a recording rule hides it from the query.",
		},
		{
			Name: "replicasQuery", Kind: PromQL, Default: "read from Kubernetes", set: query(zmy.Workers),
			Doc: "PromQL for the number of workers able to work, now and in the past. With it the estimate of the work survives a restart unchanged.",
		},
		{
			Name: "wakeQuery", Kind: PromQL, set: query(zmy.Wake),
			Doc: "PromQL; above 0 it wakes the workers from zero. No bare comparison: `> bool 0`.",
		},
		{
			Name: "guardQuery", Kind: PromQL, set: query(zmy.Guard),
			Doc: "PromQL; above 0, or missing, it forbids scaling down. No bare comparison: `> bool 0`.",
		},
	}
}

func bandKeys() []Key {
	return []Key{
		{
			Name: "scaleDownThreshold", Kind: Ratio, Default: "0.9", Literal: true, set: ratio(func(t *Trigger) *float64 { return &t.Policy.Down }),
			Doc: "A yield above it, for `scaleDownDelay`, scales down. The boundary itself holds.",
		},
		{
			Name: "scaleUpThreshold", Kind: Ratio, Default: "0.3", Literal: true, set: ratio(func(t *Trigger) *float64 { return &t.Policy.Up }),
			Doc: "A yield below it, for `scaleUpDelay`, scales up. The boundary itself holds.",
		},
		{
			Name: "inactiveThreshold", Kind: Ratio, Default: "0.95", Literal: true, set: ratio(func(t *Trigger) *float64 { return &t.Policy.Inactive }),
			Doc: "A yield at or above it, for `scaleDownDelay`, makes the trigger inactive, provided that the work fits one worker.",
		},
		{
			Name: "scaleDownDelay", Kind: Duration, Default: "300", Literal: true, set: notNegative(func(t *Trigger) *dur { return (*dur)(&t.Policy.DownDelay) }),
			Doc: "How long the yield must have been high.",
		},
		{
			Name: "scaleUpDelay", Kind: Duration, Default: "0", Literal: true, set: notNegative(func(t *Trigger) *dur { return (*dur)(&t.Policy.UpDelay) }),
			Doc: "How long the yield must have been low; 0 means that one sample is enough.",
		},
		{
			Name: "triggerThreshold", Kind: Number, Default: "30", Literal: true, set: setTarget,
			Doc: "The metric target: the load intensity, in percent, that the fleet is sized to. Between 100 × (1 − scaleDownThreshold) and 100 × (1 − scaleUpThreshold), so that a fleet sized to it lands in the hold band.",
		},
		{
			Name: "scaleDownMode", Kind: Choice, Default: "safe", Literal: true, Choices: []string{"safe", "floor", "proportional"},
			set: choice(func(t *Trigger, i int) { t.Policy.Mode = decision.ScaleDownMode(i) }, "safe", "floor", "proportional"),
			Doc: "How far a scale-down goes: toward 1 but not so far that it must scale up again, straight to 1, or to the size at which the load is the target.",
		},
	}
}

func cpuKeys() []Key {
	return []Key{
		{
			Name: "cpuQuery", Kind: PromQL, set: func(t *Trigger, v string) error { return t.setQuery(zmy.CPU, v) },
			Doc: "PromQL for CPU used over CPU requested, 0.7 meaning 70 %. It weighs in when scaling up.",
		},
		{
			Name: "cpuTarget", Kind: Number, Default: "0.7", Literal: true, set: above(0, 100, func(t *Trigger) *float64 { return &t.Policy.CPUTarget }),
			Doc: "The CPU use the fleet is sized to.",
		},
		{
			Name: "cpuWeight", Kind: Ratio, Default: "0.5", Literal: true, set: ratio(func(t *Trigger) *float64 { return &t.Policy.CPUWeight }),
			Doc: "The say of the CPU in a scale-up, 0 to 1. Only with `cpuQuery`.",
		},
	}
}

func operationKeys() []Key {
	return []Key{
		{
			Name: "metricType", Kind: Choice, Default: "from the live ScaledObject, else AverageValue", Choices: []string{"AverageValue", "Value"},
			set: choice(func(t *Trigger, i int) { t.MetricType, t.MetricTypeGiven = decision.MetricType(i), true }, "AverageValue", "Value"),
			Doc: "The trigger's `metricType`, repeated here because KEDA does not pass it on. It must agree with the one beside it in the ScaledObject.",
		},
		{
			Name: "metricName", Kind: Name, Default: "zmy", Literal: true, set: setMetricName,
			Doc: "The metric's name. Give each trigger of a ScaledObject its own.",
		},
		{
			Name: "interval", Kind: Duration, Default: "the server's", set: positive(func(t *Trigger) *dur { return (*dur)(&t.interval) }),
			Doc: "How often the trigger is evaluated; a multiple of the server's `evaluation.interval`.",
		},
		{
			Name: "maxStaleness", Kind: Duration, Default: "3 intervals, at least `60s`", set: positive(func(t *Trigger) *dur { return (*dur)(&t.maxStaleness) }),
			Doc: "How old the newest yield may be to decide on it.",
		},
		{
			Name: "onNoData", Kind: Choice, Default: "hold", Literal: true, Choices: []string{"hold", "error"},
			set: choice(func(t *Trigger, i int) { t.Policy.ErrorOnNoData = i == 1 }, "hold", "error"),
			Doc: "What missing data is answered with: hold, for `holdFor`, or an error at once, so that the ScaledObject's `fallback` applies.",
		},
		{
			Name: "holdFor", Kind: Duration, Default: "10m", Literal: true, set: notNegative(func(t *Trigger) *dur { return (*dur)(&t.Policy.HoldFor) }),
			Doc: "How long missing data is answered with hold before it becomes an error.",
		},
		{
			Name: "gracefulLanding", Kind: Choice, Default: "false", Literal: true, Choices: []string{"false", "true"},
			set: choice(func(t *Trigger, i int) { t.Policy.GracefulLanding = i == 1 }, "false", "true"),
			Doc: "Become inactive only once the fleet is down to 1, so that KEDA does not take it from any size to zero.",
		},
		{
			Name: "hpaTolerance", Kind: Ratio, Default: "from the live HPA, else 0.1", set: setTolerance,
			Doc: "The HPA's tolerance, where it cannot be read from the live HPA.",
		},
		{
			Name: "mode", Kind: Choice, Default: "active", Literal: true, Choices: []string{"active", "shadow"},
			set: choice(func(t *Trigger, i int) { t.Policy.Shadow = i == 1 }, "active", "shadow"),
			Doc: "`shadow` computes and shows everything, and moves nothing.",
		},
	}
}
