package backtest

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

func TestReadDemand(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	want := simulate.Demand{Start: start, Step: time.Minute, Busy: []float64{1, 2, 0, 0.5}}
	tests := []struct {
		name, text string
		perWorker  float64
		wrong      string
	}{
		{name: "a heading, and a minute without work", text: "timestamp,requests\n2026-03-01 08:00:00,10\n2026-03-01 08:01:00,20.0\n2026-03-01 08:03:00,5\n"},
		{name: "no heading, RFC 3339, spaces, no last newline", text: "2026-03-01T08:00:00Z, 10\n2026-03-01T09:01:00+01:00,20\n2026-03-01T08:03:00Z ,5"},
		{name: "Unix seconds and a comment", text: "# of a proxy\n1772352000,10\n1772352060,20\n1772352180.0,5\n"},
		{name: "nothing", text: "timestamp,requests\n", wrong: "two lines"},
		{name: "one line", text: "2026-03-01,1\n", wrong: "two lines"},
		{name: "a column too many", text: "2026-03-01,1,2\n2026-03-02,1\n", wrong: "line 1: must have two columns, a timestamp and an amount, not 3"},
		{name: "no time", text: "a,b\nyesterday,1\n", wrong: `line 2: "yesterday": must be a time`},
		{name: "no number", text: "2026-03-01,many\n", wrong: `line 1: "many": must be a number`},
		{name: "a negative number", text: "2026-03-01,-1\n", wrong: "not negative"},
		{name: "no finite number", text: "2026-03-01,NaN\n", wrong: "must be a number"},
		{name: "backwards", text: "2026-03-02,1\n2026-03-01,1\n", wrong: "line 2: 2026-03-01T00:00:00Z is not after"},
		{name: "between two steps", text: "2026-03-01 00:00,1\n2026-03-01 00:02,1\n2026-03-01 00:05,1\n", wrong: "line 3: 2026-03-01T00:05:00Z does not lie on the steps of 2m0s"},
		{name: "another century by mistake", text: "1901-03-01,1\n2026-03-01,1\n", wrong: "1901-03-01 to 2026-03-01 are more than 5 years: is a timestamp wrong?"},
		{name: "centuries that no duration holds", text: "1700-01-01,1\n2200-12-31,1\n", wrong: "more than 5 years"},
		{name: "years in seconds", text: "2025-03-01 00:00:00,1\n2025-03-01 00:00:01,1\n2026-03-01 00:00:00,1\n", wrong: "in steps of 1s are more than"},
		{name: "a year that is none", text: "9999-03-01,1\n", wrong: "must be a year"},
		{name: "a worker that does nothing", text: "2026-03-01,1\n", perWorker: -1, wrong: "above 0"},
		{name: "more work than anybody has", text: "2026-03-01,1\n2026-03-02,1.1e10\n", wrong: "line 2: 1.1e+10, at 10 a worker, is work for more than 1e+09 workers"},
		{name: "work without end", text: "2026-03-01,1e300\n2026-03-02,1\n", perWorker: 1e-300, wrong: "line 1: "},
		{name: "a worker that does no number", text: "2026-03-01,1\n", perWorker: math.NaN(), wrong: "above 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			per := tt.perWorker
			if per == 0 {
				per = 10
			}
			got, err := ReadDemand(strings.NewReader(tt.text), per)
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("got %v, want a word about %q", err, tt.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// FuzzReadDemand: what is read is a demand that can be replayed.
func FuzzReadDemand(f *testing.F) {
	f.Add("timestamp,requests\n2026-03-01 08:00:00,10\n2026-03-01 08:01:00,20.0\n", 3.0)
	f.Add("1772352000,10\n1772352060,20\n", 1e-300)
	f.Add("1772352000,1e300\n1772352060,20\n", 1e-300)
	f.Add("a\n\"b\n1,2", math.NaN())
	f.Add("2195-12-31,1\n2200-12-31,1\n", 1.0)
	f.Fuzz(func(t *testing.T, text string, perWorker float64) {
		d, err := ReadDemand(strings.NewReader(text), perWorker)
		if err != nil {
			return
		}
		if d.Step <= 0 || len(d.Busy) < 2 || len(d.Busy) > maxSteps || !d.End().After(d.Start) {
			t.Errorf("a demand of %d steps of %v from %v", len(d.Busy), d.Step, d.Start)
		}
		for _, v := range d.Busy {
			if !(v >= 0) || v > maxBusy {
				t.Errorf("a demand of %v", v)
			}
		}
	})
}

// TestCheckLength: two lines may lie years apart, and still take too long to replay.
func TestCheckLength(t *testing.T) {
	t.Parallel()
	d, err := ReadDemand(strings.NewReader("2022-03-01,1\n2026-03-01,1\n"), 1)
	if err != nil {
		t.Fatal(err)
	}
	p := plan(t, plainManifest)
	if err := p.CheckLength(d); err == nil || !strings.Contains(err.Error(), "2922 d 0 h of demand are 16830720 decisions 15s apart") {
		t.Errorf("got %v", err)
	}
	d.Busy = d.Busy[:1]
	if err := p.CheckLength(d); err != nil {
		t.Errorf("4 years: %v", err)
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"now": "2026-03-08T12:00:00Z", "7d": "2026-03-01T12:00:00Z", "1h30m": "2026-03-08T10:30:00Z",
		"2026-03-01": "2026-03-01T00:00:00Z", "2026-03-01T10:00:00+02:00": "2026-03-01T08:00:00Z", "1772352000": "2026-03-01T08:00:00Z",
	} {
		if got, err := ParseTime(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
	if _, err := ParseTime("last week", now); err == nil || !strings.Contains(err.Error(), "7d") {
		t.Errorf("a time that is none: %v", err)
	}
}
