package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/internal/events"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// foreign are the names of other projects that the documents may use.
func foreign() []string {
	return strings.Fields(`
		metricType minReplicaCount maxReplicaCount idleReplicaCount pollingInterval cooldownPeriod initialCooldownPeriod
		useCachedMetrics scalingModifiers failureThreshold horizontalPodAutoscalerConfig stabilizationWindowSeconds
		scaleUp scaleDown scaleTargetRef authenticationRef caCert tlsClientCert tlsClientKey spec.replicas status.replicas lastScaleTime
		maxSurge podManagementPolicy ignoreNullValues
		zmy go_* process_* basic_auth tls_config http_headers proxy_url follow_redirects enable_http2
		password_file credentials_file client_secret_file round_robin avg_over_time label_replace label_join count_values histogram_quantile`)
}

// checker collects what is wrong with the documents.
type checker struct {
	root     string
	names    map[string]bool // keys, reasons, bands, labels, foreign
	metrics  map[string]bool
	targets  map[string]bool // of make
	source   string          // of the commands
	problems []error
}

// checkNames returns everything that the handwritten documents name and that
// does not exist.
func checkNames(root string) error {
	c := &checker{root: root, names: map[string]bool{}, metrics: map[string]bool{}, targets: map[string]bool{}}
	if err := errors.Join(c.learn(), c.learnChart()); err != nil {
		return err
	}
	files, err := markdown(root)
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return err
		}
		c.links(file, string(text))
		c.words(file, string(text))
	}
	return errors.Join(c.problems...)
}

// markdown returns all Markdown files below root, relative to it, but not those
// in directories that begin with a dot.
func markdown(root string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(d.Name(), ".") && path != root
		if d.IsDir() && (hidden || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(path, ".md") {
			file, err := filepath.Rel(root, path)
			files = append(files, file)
			return err
		}
		return nil
	})
	return files, err
}

// closedLists returns the names in the code's own tables.
func closedLists() []string {
	names := slices.Concat(foreign(), configKeys(config.Default()), configKeys(promquery.SourceConfig{}))
	for _, k := range trigger.Keys() {
		names = append(names, k.Name, k.Name+"FromEnv")
	}
	for _, r := range decision.Reasons() {
		names = append(names, r.String())
	}
	for _, b := range decision.Bands() {
		names = append(names, b.String())
	}
	for _, k := range events.Kinds() {
		names = append(names, string(k.Reason))
	}
	for _, r := range events.Results() {
		names = append(names, string(r))
	}
	for k := range promquery.NumKinds {
		names = append(names, k.String())
	}
	return names
}

func (c *checker) learn() error {
	for _, name := range closedLists() {
		c.names[name] = true
	}
	all, err := instruments()
	if err != nil {
		return err
	}
	for _, m := range all {
		for label := range strings.SplitSeq(m.labels, ",") {
			c.names[label] = true
		}
		for _, suffix := range []string{"", "_bucket", "_sum", "_count"} {
			c.metrics[m.name+suffix] = true
		}
	}
	makefile, err := os.ReadFile(filepath.Join(c.root, "Makefile"))
	if err != nil {
		return err
	}
	for _, m := range regexp.MustCompile(`(?m)^([a-z0-9-]+):`).FindAllStringSubmatch(string(makefile), -1) {
		c.targets[m[1]] = true
	}
	commands, err := filepath.Glob(filepath.Join(c.root, "cmd", "*", "*.go"))
	if err != nil {
		return err
	}
	for _, file := range commands {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		c.source += string(text)
	}
	return nil
}

// learnChart learns the values of the Helm chart.
func (c *checker) learnChart() error {
	files, err := filepath.Glob(filepath.Join(c.root, "charts", "*", "*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, m := range regexp.MustCompile(`(?m)^ *([a-zA-Z]+):`).FindAllStringSubmatch(string(text), -1) {
			c.names[m[1]] = true
		}
	}
	return nil
}

func (c *checker) fail(file, format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("%s: %s", file, fmt.Sprintf(format, args...)))
}

// links checks that what a document points to within the repository is there.
func (c *checker) links(file, text string) {
	for _, m := range regexp.MustCompile(`(?:\]\(|src="|srcset="|href=")([^)"\s]+)`).FindAllStringSubmatch(text, -1) {
		target, anchor, _ := strings.Cut(m[1], "#")
		if strings.Contains(m[1], "://") {
			continue
		}
		path := filepath.Join(c.root, file)
		if target != "" {
			path = filepath.Join(c.root, filepath.Dir(file), target)
		}
		if _, err := os.Stat(path); err != nil {
			c.fail(file, "links to %q, which is not there", m[1])
			continue
		}
		if anchor == "" {
			continue
		}
		if there, err := os.ReadFile(path); err != nil || !slices.Contains(anchors(string(there)), anchor) {
			c.fail(file, "links to %q, which has no such heading", m[1])
		}
	}
}

// anchors returns what GitHub makes of the headings of a document.
func anchors(text string) []string {
	var all []string
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return all
}

// words checks the names in a document: metrics anywhere, all else in backquotes.
func (c *checker) words(file, text string) {
	for _, name := range regexp.MustCompile(`zmy_scaler_[a-z_]+\b`).FindAllString(text, -1) {
		if !c.metrics[name] {
			c.fail(file, "names the metric %q, which is not there", name)
		}
	}
	prose := regexp.MustCompile("(?ms)^ *```.*?^ *```").ReplaceAllString(text, "")
	for _, m := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(prose, -1) {
		c.word(file, m[1])
	}
}

func (c *checker) word(file, word string) {
	is := func(form string) bool { return regexp.MustCompile(form).MatchString(word) }
	switch {
	case is(`^make [a-z]`):
		if target := strings.Fields(word)[1]; !c.targets[target] && !strings.Contains(target, "*") {
			c.fail(file, "names the target %q, which is not in the Makefile", target)
		}
	case is(`^(cmd|pkg|internal|config|docs|hack|e2e|proto|tools|\.ci|\.github)/[\w./*-]*$`):
		if found, err := filepath.Glob(filepath.Join(c.root, word)); err != nil || len(found) == 0 {
			c.fail(file, "names the file %q, which is not there", word)
		}
	case is(`^--[a-z]`):
		flag := regexp.MustCompile(`^--([a-z-]+)`).FindStringSubmatch(word)[1]
		if !strings.Contains(c.source, `"`+flag+`"`) {
			c.fail(file, "names the flag %q, which no command has", flag)
		}
	case is(`^[a-z]+[A-Z]\w*$`), is(`^[a-z]+(_[a-z]+)+$`):
		if !c.names[word] && !c.metrics[word] {
			c.fail(file, "names %q, which is no key, band, reason or metric", word)
		}
	}
}
