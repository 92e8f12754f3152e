package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// The policy is a list of CEL variables, each the faults of one kind that the
// triggers have, in the words that the scaler itself has for them: they are got
// by giving it broken triggers. `variables.zmy` are the triggers, which the
// chart's template picks.
//
// It refuses nothing that the scaler takes. What is not easily said in CEL (the
// PromQL, odd spellings of numbers, windows that are too long) it leaves to the
// scaler.

// policy makes the variables.
type policy struct {
	out  bytes.Buffer
	all  []string
	errs []error
}

// policyVariables returns the variables, in YAML, the last of which is all faults.
func policyVariables() ([]byte, error) {
	p := &policy{}
	p.out.WriteString(yamlNote)
	keys := trigger.Keys()
	p.strangers(keys)
	p.twiceAndEmpty(keys)
	for _, k := range keys {
		p.key(k)
	}
	p.required()
	p.cross()
	p.metricType()
	fmt.Fprintf(&p.out, "- name: faults\n  expression: >-\n    %s\n", strings.Join(p.all, "\n    + "))
	return p.out.Bytes(), errors.Join(p.errs...)
}

// variable writes a variable: a fault for each trigger t with metadata m for
// which a condition holds. Both are CEL.
func (p *policy) variable(name, condition, fault string) {
	p.raw(name, fmt.Sprintf("variables.zmy.map(t, t.metadata)\n.filter(m, %s)\n.map(m, %s)", condition, fault))
}

func (p *policy) raw(name, expression string) {
	fmt.Fprintf(&p.out, "- name: %s\n  expression: >-\n    %s\n", name, strings.ReplaceAll(expression, "\n", "\n    "))
	p.all = append(p.all, "variables."+name)
}

// faults returns what the scaler says of a trigger.
func faults(metadata map[string]string) trigger.Faults {
	_, err := trigger.Parse(metadata, trigger.Server{Interval: 15 * time.Second})
	var all trigger.Faults
	errors.As(err, &all)
	return all
}

// words returns what the scaler says of a key in a trigger that is good but for
// what is given.
func (p *policy) words(key string, given map[string]string) string {
	metadata := map[string]string{"zmyQuery": "vector(1)"}
	maps.Copy(metadata, given)
	for _, f := range faults(metadata) {
		if f.Key == key {
			return f.Problem
		}
	}
	p.errs = append(p.errs, fmt.Errorf("the scaler takes %v, and should have said something of %s", given, key))
	return ""
}

// strangers are keys that the scaler does not know.
func (p *policy) strangers(keys []trigger.Key) {
	var names []string
	for _, k := range keys {
		names = append(names, k.Name, k.Name+"FromEnv")
	}
	secret := p.words("password", map[string]string{"password": "x"})
	unknown, _, _ := strings.Cut(p.words("unheardOf", map[string]string{"unheardOf": "x"}), "; did you mean")
	p.raw("known", list(names))
	p.all = nil
	p.raw("strangers", fmt.Sprintf(
		"variables.zmy.map(t, t.metadata)\n.map(m, m.filter(k, !(k in variables.known)).map(k, k.lowerAscii().matches(%s)\n  ? k + %s\n  : (m[k].trim() == '' ? k : k + ' ' + strings.quote(m[k].trim())) + %s).join('; '))\n.filter(f, f != '')",
		text(secretWords()), text(": "+secret), text(": "+unknown)))
}

// secretWords returns the pattern of keys that look like a secret. It is wider
// than the scaler's own list, since a key that comes here is unknown anyway, and
// its value must not be shown.
func secretWords() string {
	words := []string{
		"pass", "secret", "token", "credential", "api_?-?key", "access_?key", "private_?key", "client_?key",
		"bearer", "auth", "connectionstring", "username",
	}
	return strings.Join(words, "|")
}

// twiceAndEmpty are keys in both of their forms, and keys without a value.
func (p *policy) twiceAndEmpty(keys []trigger.Key) {
	var names, ours []string
	for _, k := range keys {
		names = append(names, k.Name)
		for _, f := range faults(map[string]string{"zmyQuery": "vector(1)", k.Name: ""}) {
			if f.Key == k.Name && !slices.Contains(ours, k.Name) {
				ours = append(ours, k.Name)
			}
		}
	}
	twice := p.words("mode", map[string]string{"mode": "active", "modeFromEnv": "active"})
	before, rest, _ := strings.Cut(twice, "mode")
	between, after, ok := strings.Cut(rest, "modeFromEnv")
	if !ok {
		p.errs = append(p.errs, fmt.Errorf("%q does not name both forms of the key", twice))
	}
	each := "variables.zmy.map(t, t.metadata)\n.map(m, %s.filter(k, %s).map(k, %s).join('; '))\n.filter(f, f != '')"
	p.raw("twice", fmt.Sprintf(each, list(names), "k in m && (k + 'FromEnv') in m",
		"k + "+text(": "+before)+" + k + "+text(between)+" + k + 'FromEnv' + "+text(after)))
	p.raw("empty", fmt.Sprintf(each, list(ours), "k in m && !((k + 'FromEnv') in m) && m[k].trim() == ''",
		"k + "+text(": "+p.words("mode", map[string]string{"mode": ""}))))
}

// key writes what can be wrong with the value of a key.
func (p *policy) key(k trigger.Key) {
	given := fmt.Sprintf("%s in m && !(%s in m) && m[%s].trim() != ''", text(k.Name), text(k.Name+"FromEnv"), text(k.Name))
	value := fmt.Sprintf("m[%s].trim()", text(k.Name))
	fault := func(words string) string { return faultOf(k.Name, value, words) }
	switch k.Kind {
	case trigger.Choice:
		p.variable(k.Name, fmt.Sprintf("%s && !(%s in %s)", given, value, list(k.Choices)),
			fault(p.words(k.Name, map[string]string{k.Name: "x"})))
	case trigger.Ratio, trigger.Number:
		r, ok := reaches()[k.Name]
		if !ok {
			p.errs = append(p.errs, fmt.Errorf("where may the numbers of %s lie? reaches does not say", k.Name))
			return
		}
		p.confirm(k.Name, r)
		p.variable(k.Name, fmt.Sprintf("%s\n  && !%s.matches(%s) && !%s", given, value, text(oddNumber), r.holds(value)),
			fault(p.words(k.Name, map[string]string{k.Name: "x"})))
	case trigger.Duration:
		p.duration(k, given, value, fault)
	case trigger.Name, trigger.PromQL, trigger.Text:
		if k.Name == "metricName" {
			p.variable(k.Name, fmt.Sprintf("%s && !%s.matches('^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$')", given, value),
				fault(p.words(k.Name, map[string]string{k.Name: "-x"})))
		}
	default:
		p.errs = append(p.errs, fmt.Errorf("%s is of the kind %q, of which the policy knows nothing", k.Name, k.Kind))
	}
}

func (p *policy) duration(k trigger.Key, given, value string, fault func(string) string) {
	shape := fmt.Sprintf("(%s.matches(%s) || %s.matches(%s) || %s.matches(%s) || %s.matches(%s))",
		value, text(plainNumber), value, text(oddNumber), value, text(goSpan), value, text(promSpan))
	p.variable(k.Name, given+"\n  && !"+shape, fault(p.words(k.Name, map[string]string{k.Name: "x"})))
	below := fmt.Sprintf("%s.matches(%s)", value, text(negative))
	if len(faults(map[string]string{"zmyQuery": "vector(1)", k.Name: "0"})) > 0 {
		below = fmt.Sprintf("(%s || %s.matches(%s))", below, value, text(zero))
	}
	p.variable(k.Name+"Range", given+"\n  && "+below, fault(p.words(k.Name, map[string]string{k.Name: "-1"})))
}

func (p *policy) required() {
	var words string
	for _, f := range faults(map[string]string{}) {
		if f.Key == "zmyQuery" {
			words = f.String()
		}
	}
	p.variable("required", "!('zmyQuery' in m) && !('zmyQueryFromEnv' in m)", text(words))
}

// cross are faults between keys. The words are got with numbers that stand for
// the values, which are then put in their place.
func (p *policy) cross() {
	const up, down, inactive, target = "scaleUpThreshold", "scaleDownThreshold", "inactiveThreshold", "triggerThreshold"
	u, d, i, t := effective(up), effective(down), effective(inactive), effective(target)

	words := p.words(up, map[string]string{up: "0.8765", down: "0.4321", inactive: "0.9", target: "30"})
	p.variable("upBelowDown", p.good(up, down)+"\n  && double("+u+") >= double("+d+")",
		faultWith(up, u, words, map[string]string{`"0.4321"`: "strings.quote(" + d + ")"}))

	words = p.words(down, map[string]string{down: "0.8765", inactive: "0.4321"})
	p.variable("downBelowInactive", p.good(down, inactive)+"\n  && double("+d+") > double("+i+")",
		faultWith(down, d, words, map[string]string{`"0.4321"`: "strings.quote(" + i + ")"}))

	words = p.words(target, map[string]string{down: "0.8765", up: "0.2109", target: "99"})
	p.variable("targetBetween", fmt.Sprintf("%s\n  && double(%s) < double(%s)\n  && (double(%s) / 100.0 <= 1.0 - double(%s) + 0.000000001 || double(%s) / 100.0 >= 1.0 - double(%s) - 0.000000001)",
		p.good(up, down, target), u, d, t, d, t, u),
		faultWith(target, t, words, map[string]string{
			`"0.8765"`: "strings.quote(" + d + ")", `"0.2109"`: "strings.quote(" + u + ")",
			"12.35": percentLeft(d), "78.91": percentLeft(u),
		}))

	words = p.words("cpuWeight", map[string]string{"cpuWeight": "0.5"})
	p.variable("weightWithoutCPU", p.good("cpuWeight")+"\n  && 'cpuWeight' in m && !('cpuQuery' in m) && !('cpuQueryFromEnv' in m)",
		faultOf("cpuWeight", effective("cpuWeight"), words))
}

// metricType is the one thing that stands beside the metadata.
func (p *policy) metricType() {
	e := engine.MetricTypeError{Given: decision.Value, Live: decision.AverageValue}
	quoted := func(t decision.MetricType) string { return strconv.Quote(t.String()) }
	parts := splice(e.Error(), map[string]string{
		quoted(decision.Value): "strings.quote(t.metadata['metricType'].trim())", quoted(decision.AverageValue): "strings.quote(has(t.metricType) ? t.metricType : 'AverageValue')",
	})
	p.raw("metricTypes", fmt.Sprintf(
		"variables.zmy\n.filter(t, 'metricType' in t.metadata && t.metadata['metricType'].trim() in ['Value', 'AverageValue']\n  && t.metadata['metricType'].trim() != (has(t.metricType) && t.metricType != '' ? t.metricType : 'AverageValue'))\n.map(t, %s)", parts))
}

// good is CEL for keys whose values are known and in reach, so that a fault
// between them is theirs.
func (p *policy) good(keys ...string) string {
	var all []string
	for _, k := range keys {
		all = append(all, fmt.Sprintf("!(%s in m) && %s", text(k+"FromEnv"), reaches()[k].holds(effective(k))))
	}
	return strings.Join(all, "\n  && ")
}
