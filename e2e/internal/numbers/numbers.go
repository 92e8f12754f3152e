// Package numbers is an exporter whose numbers a test sets.
package numbers

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// Numbers are series with their values.
type Numbers struct {
	mu     sync.Mutex
	values map[string]float64
}

// New returns no numbers yet.
func New() *Numbers { return &Numbers{values: map[string]float64{}} }

// Set sets the values of series, written as in PromQL, all at once.
func (n *Numbers) Set(values map[string]float64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.Copy(n.values, values)
}

// Unset removes series, all at once.
func (n *Numbers) Unset(series ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range series {
		delete(n.values, s)
	}
}

// ServeHTTP answers a scrape.
func (n *Numbers) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	n.mu.Lock()
	values := maps.Clone(n.values)
	n.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	for _, series := range slices.Sorted(maps.Keys(values)) {
		if _, err := fmt.Fprintf(w, "%s %s\n", series, strconv.FormatFloat(values[series], 'g', -1, 64)); err != nil {
			return // the scraper is gone
		}
	}
}
