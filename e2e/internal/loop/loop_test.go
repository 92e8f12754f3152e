package loop

import (
	"strings"
	"testing"
	"time"
)

func demand() Demand {
	return Demand{Start: time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC), Stretches: []Stretch{{6, 10 * time.Second}, {6.5, 5 * time.Second}}}
}

func TestDemand(t *testing.T) {
	t.Parallel()
	d := demand()
	for since, want := range map[time.Duration]float64{
		-time.Hour: 6, 0: 6, 10*time.Second - 1: 6, 10 * time.Second: 6.5, time.Minute: 6.5,
	} {
		if got := d.At(d.Start.Add(since)); got != want {
			t.Errorf("after %v: %v, want %v", since, got, want)
		}
	}
	want := "timestamp,amount\n2026-03-02T06:00:00Z,600\n2026-03-02T06:00:05Z,600\n2026-03-02T06:00:10Z,650\n"
	if got := d.CSV(5*time.Second, 100); got != want {
		t.Errorf("CSV is\n%s, want\n%s", got, want)
	}
	if got := d.End().Sub(d.Start); got != 15*time.Second {
		t.Errorf("it ends after %v", got)
	}
}

func TestAgree(t *testing.T) {
	t.Parallel()
	const sync = 15 * time.Second
	start := demand().Start
	at := func(s float64, from, to int) Change {
		return Change{At: start.Add(time.Duration(s * float64(time.Second))), From: from, To: to}
	}
	model := []Change{at(40, 4, 8), at(100, 8, 1)}
	tests := []struct {
		name string
		seen []Change
		want string
	}{
		{name: "the same", seen: model},
		{name: "a sync later and earlier", seen: []Change{at(55, 4, 8), at(85, 8, 1)}},
		{name: "more than a sync later", seen: []Change{at(40, 4, 8), at(115.1, 8, 1)}, want: "8 to 1 came 15.1s after the model's, more than 15s"},
		{name: "more than a sync earlier", seen: []Change{at(24, 4, 8), at(100, 8, 1)}, want: "4 to 8 came -16s after"},
		{name: "one is missing", seen: model[:1], want: "the fleet went 4 8, and by the model 4 8 1"},
		{name: "another size", seen: []Change{at(40, 4, 7), at(100, 7, 1)}, want: "the fleet went 4 7 1, and by the model 4 8 1"},
		{name: "a gap", seen: []Change{at(40, 4, 8), at(100, 7, 1)}, want: "the fleet went 4 8 (7?) 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := Agree(tt.seen, model, sync)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if got := Before(model, start.Add(time.Minute)); len(got) != 1 {
		t.Errorf("within a minute: %v", got)
	}
	if got := Table(start, model, model[:1]); !strings.Contains(got, "40.0 s  4 to  8    40.0 s  4 to  8     0.0 s") {
		t.Errorf("the table is\n%s", got)
	}
}
