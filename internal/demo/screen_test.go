package demo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// golden compares text with a file of testdata. With UPDATE_GOLDEN set it
// writes the file instead.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got):\n%s", file, d)
	}
}

// testPicture has a row of every kind.
func testPicture() picture {
	bands := row{up: 0.3, down: 0.9, inactive: 0.95}
	with := func(edit func(*row)) row {
		r := bands
		edit(&r)
		return r
	}
	p := picture{
		now:    75*time.Minute + 4*time.Second,
		header: header{speed: 60, grpc: "127.0.0.1:6000", http: "127.0.0.1:8080", left: 45 * time.Second},
		rows: []row{
			with(func(r *row) {
				r.name, r.about, r.yield, r.known, r.band = "payment", "Value, cpuQuery", 0.12, true, "scale_up"
				r.reason, r.next = "the yield is below scaleUpThreshold", "HPA sync in 7s, to 10"
				r.spec, r.ready, r.desired = 4, 4, 10
			}),
			with(func(r *row) {
				r.name, r.about, r.band = "orders", "external-push, Value, wakeQuery, to zero", "inactive"
				r.reason, r.next = "absent at zero: no replicas, and nothing wakes them", "asleep until woken"
			}),
			with(func(r *row) {
				r.name, r.about, r.yield, r.known, r.band = "render", "AverageValue, replicasQuery", 0.7, true, "hold"
				r.reason, r.next = "the yield is inside the hold band", "HPA sync in 12s"
				r.spec, r.ready, r.desired = 10, 10, 10
			}),
			with(func(r *row) {
				r.name, r.about, r.yield, r.known, r.band = "render/trial", "", 0.7, true, "scale_down"
				r.reason, r.next = "the yield has been above scaleDownThreshold for scaleDownDelay", "nothing: it only watches"
				r.spec, r.ready, r.desired, r.down, r.shadow = 10, 10, 7, 0.6, true
			}),
		},
		trails: []trail{
			{yields: []float64{0.8, 0.8, 0.7, 0.1, 0, 0.12}, replicas: []float64{4, 4, 4, 4, 8, 10}},
			{yields: []float64{1, 0.97, -1, -1}, replicas: []float64{1, 1, 0, 0}},
			{},
			{},
		},
	}
	p.recent = []entry{
		{at: 70 * time.Minute, row: with(func(r *row) {
			r.name, r.band, r.reason, r.next = "orders", "inactive", "nothing to do", "asleep"
		}), from: 1},
		{at: 75 * time.Minute, row: p.rows[0], from: 4, to: 4},
	}
	return p
}

func TestFrame(t *testing.T) {
	t.Parallel()
	p := testPicture()
	golden(t, "wide.txt", visible(frame(p.lines(120), 120, 40, false)))
	golden(t, "narrow.txt", visible(frame(p.lines(60), 60, 40, false)))
	golden(t, "low.txt", visible(frame(p.lines(80), 80, 6, false)))
	golden(t, "color.txt", visible(frame(p.lines(80), 80, 24, true)))
	p.header.left = 0
	if got := frame(p.lines(120), 120, 40, false); !strings.Contains(got, "Ctrl-C stops it") {
		t.Errorf("the header of a demo without an end does not say how to stop it:\n%s", got)
	}
}

// visible makes escapes readable, and the file end like a text.
func visible(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\x1b", "␛"), "\r\n", "\n") + "\n"
}

func TestFrameFits(t *testing.T) {
	t.Parallel()
	p := testPicture()
	for width := 1; width < 200; width++ {
		for height := 1; height < 30; height += 7 {
			text := frame(p.lines(width), width, height, false)
			text = strings.NewReplacer(escHome, "", escClearLine, "", escClearBelow, "").Replace(text)
			lines := strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n")
			if len(lines) > max(1, height-1) {
				t.Fatalf("%d lines in %d rows", len(lines), height)
			}
			for _, l := range lines {
				if n := utf8.RuneCountInString(l); n > width {
					t.Fatalf("a line of %d in %d columns: %q", n, width, l)
				}
			}
		}
	}
}

func TestSparkline(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		values []float64
		top    float64
		want   string
	}{
		{name: "none", top: 1, want: "    "},
		{name: "too few", values: []float64{0, 1}, top: 1, want: "▁█  "},
		{name: "the newest ones", values: []float64{0, 0, 1, -1, 0.5, 2}, top: 1, want: "█ ▄█"},
		{name: "no top", values: []float64{1}, want: "▁   "},
	}
	for _, tt := range tests {
		if got := sparkline(tt.values, tt.top, 4); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	w := &lineWriter{out: &b}
	p := testPicture()
	if err := p.header.write(&b); err != nil {
		t.Fatal(err)
	}
	for _, e := range p.recent {
		w.tell(e)
	}
	w.tell(entry{at: time.Second, row: p.rows[2], from: 8, to: 10})
	golden(t, "lines.txt", b.String())
	if err := w.failure(); err != nil {
		t.Error(err)
	}
	w.out = brokenWriter{}
	w.tell(entry{})
	w.tell(entry{})
	if err := w.failure(); !errors.Is(err, errBroken) {
		t.Errorf("failure %v", err)
	}
	var none *lineWriter
	if err := none.failure(); err != nil {
		t.Error(err)
	}
}

var errBroken = errors.New("broken pipe")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestReport(t *testing.T) {
	t.Parallel()
	r := Report{Wall: time.Minute, Demo: time.Hour, Fleets: []Seen{{Fleet: "payment"}, {Fleet: "orders"}}, Failed: 2}
	r.Fleets[0].add(ScaleUp, 3*time.Minute)
	r.Fleets[0].add(ScaleUp, 4*time.Minute)
	r.Fleets[1].add(Hold, 0)
	if d := cmp.Diff([]Event{ScaleDown, Inactive, Woken}, r.Missing()); d != "" {
		t.Errorf("missing (-want +got):\n%s", d)
	}
	var b strings.Builder
	if err := r.write(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "report_missing.txt", b.String())
	for _, e := range r.Missing() {
		r.Fleets[1].add(e, time.Hour)
	}
	r.Failed = 0
	b.Reset()
	if err := r.write(&b); err != nil || len(r.Missing()) > 0 {
		t.Fatal(err, r.Missing())
	}
	golden(t, "report.txt", b.String())
	err := &MissingError{Events: []Event{Inactive, Woken}, Ran: time.Minute}
	if got, want := err.Error(), "the demo did not show inactive, woken within 1m0s: let it run longer"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTerminalOf(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if got := TerminalOf(w, os.LookupEnv); got.Live || got.Color {
		t.Errorf("a pipe is no terminal: %+v", got)
	}
	if width, height := (Terminal{}).size(); width != 80 || height != 24 {
		t.Errorf("without a size %d by %d", width, height)
	}
	sized := Terminal{Size: func() (int, int) { return 0, 0 }}
	if width, height := sized.size(); width != 80 || height != 24 {
		t.Errorf("of unknown size %d by %d", width, height)
	}
}
