package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

// Spellings, as RE2 that Go and CEL have in common.
const (
	plainNumber = `^[+-]?([0-9]{1,20}[.]?[0-9]{0,20}|[.][0-9]{1,20})([eE][+-]?[0-9]{1,2})?$`
	// Odd spellings of numbers, which CEL might not read.
	oddNumber = `^[+-]?(0[xX]|[0-9._]{21,}|[0-9._]+[eE][+-]?[0-9_]{3,})`
	goSpan    = `^[+-]?(([0-9]+[.]?[0-9]*|[.][0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`
	promSpan  = `^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$`
	negative  = `^-(0*[1-9][0-9]*([.][0-9]*)?(ms|s|m|h)?|[0-9]*[.][0-9]{0,2}[1-9][0-9]*(s|m|h)?)$`
	zero      = `^[+-]?0+([.]0*)?(ms|s|m|h)?$`
)

// effective is CEL for the value of a key, or its default.
func effective(key string) string {
	for _, k := range trigger.Keys() {
		if k.Name == key {
			return fmt.Sprintf("(%s in m ? m[%s].trim() : %s)", text(key), text(key), text(k.Default))
		}
	}
	return "''"
}

// percentLeft is CEL for 100 * (1 - x), with no more digits than the scaler shows.
func percentLeft(x string) string {
	return fmt.Sprintf("string(double(int((1.0 - double(%s)) * 1000000.0 + 0.5)) / 10000.0)", x)
}

func faultOf(key, value, words string) string {
	return text(key+" ") + " + strings.quote(" + value + ") + " + text(": "+words)
}

func faultWith(key, value, words string, values map[string]string) string {
	return text(key+" ") + " + strings.quote(" + value + ") + " + splice(": "+words, values)
}

// splice is CEL for words in which some parts are values.
func splice(words string, values map[string]string) string {
	var parts []string
	for words != "" {
		at, what := len(words), ""
		for v := range values {
			if i := strings.Index(words, v); i >= 0 && i < at {
				at, what = i, v
			}
		}
		if at > 0 {
			parts = append(parts, text(words[:at]))
		}
		if what != "" {
			parts = append(parts, values[what])
		}
		words = words[at+len(what):]
	}
	return strings.Join(parts, " + ")
}

// text is a CEL string.
func text(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}

func list(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = text(w)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }
