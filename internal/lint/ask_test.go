package lint

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/manifest"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/promquerytest"
)

// history is a day and more in steps of a minute.
const history = `load 1m
	idle{pod="a"} 0.5x1500
	idle{pod="b"} 0.7x1500
	idle_percent 60x1500
	minus -1x1500
	workers 3x1500
	workers_scaled 3x700 4x800
`

func TestAsk(t *testing.T) {
	t.Parallel()
	server := promquerytest.New(t, history)
	source, err := promquery.NewSource(promquery.NewSourceConfig("source", server.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	o := options()
	o.Source, o.Now = source, time.Unix(0, 0).Add(25*time.Hour)
	tests := []struct {
		name    string
		queries string
		want    []string
	}{
		{name: "good", queries: "zmyQuery: avg(idle)\n      replicasQuery: workers_scaled\n      guardQuery: sum(workers) > bool 100"},
		{name: "a vector", queries: "zmyQuery: idle", want: []string{"several-series zmyQuery gives several series at present"}},
		{name: "a percent", queries: "zmyQuery: idle_percent", want: []string{"percent zmyQuery gives 60 at present: the yield is a share, from 0 to 1"}},
		{name: "no data", queries: "zmyQuery: avg(idle)\n      guardQuery: sum(waiting)", want: []string{"no-data guardQuery has no answer"}},
		{name: "below 0", queries: "zmyQuery: minus", want: []string{"out-of-range zmyQuery is no usable number at present: -1"}},
		{name: "far above 1", queries: "zmyQuery: idle_percent * 7", want: []string{"out-of-range zmyQuery is no usable number at present: 420"}},
		{name: "no number", queries: "zmyQuery: avg(idle) / 0 - avg(idle) / 0", want: []string{"out-of-range zmyQuery is no usable number at present: NaN"}},
		{name: "the same all day", queries: "zmyQuery: avg(idle)\n      replicasQuery: sum(workers)", want: []string{"replicas-never-change replicasQuery gave 3 at all of 289 instants of the last day"}},
		{name: "constant anyway", queries: "zmyQuery: avg(idle)\n      replicasQuery: vector(3)", want: []string{`constant-replicas replicasQuery "vector(3)" is the same number at any time`}},
		{name: "refused", queries: "zmyQuery: avg(idle * on () idle)", want: []string{"query-fails zmyQuery: the source says: "}},
		{name: "several at once", queries: "zmyQuery: idle\n      cpuQuery: cpu", want: []string{"several-series zmyQuery gives several series at present", "no-data cpuQuery has no answer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := check(t, "x.yaml", withQueries(t, tt.queries), o)
			var got []string
			for _, f := range r.Findings {
				line, _, _ := strings.Cut(f.ID+" "+f.Reason, "says: ")
				if line != f.ID+" "+f.Reason {
					line += "says: " // what Prometheus has to say is its own
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// withQueries returns a manifest without any other trap.
func withQueries(t *testing.T, queries string) string {
	t.Helper()
	text := readFile(t, "testdata/broken/percent.yaml")
	before, _, ok := strings.Cut(text, "zmyQuery:")
	if !ok {
		t.Fatal("no query in the manifest")
	}
	return before + queries + "\n"
}

// TestNobodyAnswers: that the source is away is no finding, and hides none.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	source, err := promquery.NewSource(promquery.NewSourceConfig("source", "http://127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	o := options()
	o.Source, o.Now = source, time.Unix(0, 0)
	text := readFile(t, "testdata/broken/percent.yaml")
	f, err := manifest.Read("x.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Check(t.Context(), []*manifest.File{f}, o)
	if e, ok := errors.AsType[*promquery.Error](err); !ok || e.Kind != promquery.KindUnreachable || !strings.HasPrefix(err.Error(), "x.yaml:") {
		t.Errorf("got %v", err)
	}
	if len(r.Findings) != 1 || r.Findings[0].ID != "percent" {
		t.Errorf("found %+v", r.Findings)
	}
}

// TestAsksEachQueryOnce, of triggers whose metadata is in order.
func TestAsksEachQueryOnce(t *testing.T) {
	t.Parallel()
	server := promquerytest.New(t, history)
	source, err := promquery.NewSource(promquery.NewSourceConfig("source", server.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	o := options()
	o.Source, o.Now = source, time.Unix(0, 0).Add(25*time.Hour)
	check(t, "x.yaml", withQueries(t, "zmyQuery: avg(idle)\n      wakeQuery: sum(workers)"), o)
	check(t, "y.yaml", withQueries(t, "zmyQuery: avg(idle)\n      scaleUpDelay: soon"), o)
	var got []string
	for _, r := range server.Requests() {
		got = append(got, fmt.Sprint(r.Instant()))
	}
	if !slices.Equal(got, []string{"true", "true"}) {
		t.Errorf("asked %v", got)
	}
}
