package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

// reach is where the numbers of a key may lie, its ends included or not.
type reach struct {
	low, high     float64
	lowIn, highIn bool
}

// reaches returns those of all keys that take a number. confirm makes sure that
// the scaler agrees.
func reaches() map[string]reach {
	r := map[string]reach{}
	for _, k := range []string{"scaleDownThreshold", "scaleUpThreshold", "inactiveThreshold", "cpuWeight"} {
		r[k] = reach{low: 0, high: 1, lowIn: true, highIn: true}
	}
	r["triggerThreshold"] = reach{low: 0, high: 100}
	r["cpuTarget"] = reach{low: 0, high: 100, highIn: true}
	r["hpaTolerance"] = reach{low: 0, high: 1, lowIn: true}
	return r
}

// holds is CEL for a number that lies where it may.
func (r reach) holds(value string) string {
	low, high := ">", "<"
	if r.lowIn {
		low = ">="
	}
	if r.highIn {
		high = "<="
	}
	return fmt.Sprintf("(%s.matches(%s) && double(%s) %s %s && double(%s) %s %s)",
		value, text(plainNumber), value, low, decimal(r.low), value, high, decimal(r.high))
}

// confirm asks the scaler whether the numbers of a key lie where reaches says.
func (p *policy) confirm(key string, r reach) {
	words := p.words(key, map[string]string{key: "x"})
	const hair = 1e-3
	for _, probe := range []struct {
		x    float64
		good bool
	}{{r.low - hair, false}, {r.low, r.lowIn}, {r.low + hair, true}, {r.high - hair, true}, {r.high, r.highIn}, {r.high + hair, false}} {
		value := strconv.FormatFloat(probe.x, 'f', -1, 64)
		refused := slices.ContainsFunc(faults(map[string]string{"zmyQuery": "vector(1)", key: value}), func(f trigger.Fault) bool {
			return f.Key == key && f.Problem == words
		})
		if refused == probe.good {
			p.errs = append(p.errs, fmt.Errorf("%s %s: the scaler and reaches do not agree", key, value))
		}
	}
}
