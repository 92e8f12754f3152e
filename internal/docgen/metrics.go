package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/metrics"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// instrument is one metric of the scaler.
type instrument struct{ name, help, labels string }

// nobody is a lister without triggers.
type nobody struct{}

func (nobody) List() []engine.Status { return nil }
func (nobody) Len() int              { return 0 }

func (nobody) Sources() []engine.SourceStatus { return nil }

// instruments returns what a scaler registers, without the collectors of the Go
// runtime and the process, whose metrics depend on the version of Go.
func instruments() ([]instrument, error) {
	m := metrics.New(metrics.Build{})
	m.Watch(nobody{})
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		m.Registry.Describe(descs)
	}()
	// A Desc tells what it is only as text.
	form := regexp.MustCompile(`^Desc\{fqName: "([^"]*)", help: "((?:[^"\\]|\\.)*)"(?:, unit: "[^"]*")?, constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)
	constLabel := regexp.MustCompile(`(\w+)="[^"]*"`)
	var all []instrument
	var odd error
	for d := range descs {
		parts := form.FindStringSubmatch(d.String())
		if parts == nil {
			odd = fmt.Errorf("cannot read %s", d)
			continue
		}
		if strings.HasPrefix(parts[1], "go_") || strings.HasPrefix(parts[1], "process_") {
			continue
		}
		labels := constLabel.ReplaceAllString(parts[3], "$1")
		if labels != "" && parts[4] != "" {
			labels += ","
		}
		all = append(all, instrument{name: parts[1], help: parts[2], labels: labels + parts[4]})
	}
	slices.SortFunc(all, func(a, b instrument) int { return strings.Compare(a.name, b.name) })
	return all, odd
}

func metricsPage() ([]byte, error) {
	all, err := instruments()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s# Metrics\n\n"+
		"What `/metrics` serves, beside the usual `go_*` and `process_*` metrics. "+
		"The series of a trigger go away with it, %v minutes after it was last asked for.\n\n"+
		"| metric | labels | meaning |\n| --- | --- | --- |\n", markdownNote, engine.ForgetAfter.Minutes())
	for _, m := range all {
		labels := "none"
		if m.labels != "" {
			labels = code(strings.Split(m.labels, ","))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", m.name, labels, m.help)
	}
	var results []string
	for k := range promquery.NumKinds {
		results = append(results, k.String())
	}
	fmt.Fprintf(&b, "\nBands and reasons are listed in [reasons.md](reasons.md). The `result` of a request to a source is one of %s; that of an evaluation %s; that of an Event is in [events.md](events.md).\n",
		code(results), code([]string{string(engine.Fetched), string(engine.Failed)}))
	return b.Bytes(), nil
}
