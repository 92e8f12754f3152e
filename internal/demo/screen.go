package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// picture is what the live view shows.
type picture struct {
	now    time.Duration // since the start of the demo
	rows   []row
	trails []trail // one for each row
	recent []entry
	header header
}

// header is what the first lines of the live view say.
type header struct {
	speed      float64
	grpc, http string
	// left is how long the demo goes on, on the wall's clock; 0 for no end.
	left time.Duration
}

// The columns of the live view.
const (
	nameWidth = 13
	// restWidth is what the columns beside the bar need.
	restWidth    = nameWidth + 50
	minBar       = 10
	maxBar       = 40
	emptyYield   = "  - "
	historyWidth = trailLen
)

// lines lays the picture out for a width.
func (p picture) lines(width int) []line {
	stops := "Ctrl-C stops it"
	if p.header.left > 0 {
		stops = fmt.Sprintf("stops in %s, or by Ctrl-C", brief(p.header.left))
	}
	lines := []line{
		{{"zmy-scaler demo", bold}, {fmt.Sprintf("  %s at %g × the clock's speed  ", stamp(p.now), p.header.speed), ""}, {stops, dim}},
		{{"watch it at http://" + p.header.http + "/   gRPC " + p.header.grpc, dim}},
		{},
	}
	for i, r := range p.rows {
		lines = append(lines, r.lines(p.trails[i], min(max(width-restWidth, minBar), maxBar))...)
	}
	lines = append(lines, line{})
	for _, e := range slices.Backward(p.recent) {
		lines = append(lines, line{{e.String(), dim}})
	}
	return lines
}

// lines lays a row out: where it stands, why, and how it came there.
func (r row) lines(t trail, barWidth int) []line {
	look := lookOf(r.band)
	yield := emptyYield
	if r.known {
		yield = fmt.Sprintf("%.2f", r.yield)
	}
	top := line{{fmt.Sprintf("%-*s", nameWidth, r.name), bold}}
	top = append(top, bar(r.yield, r.known, barWidth, look, r.up, r.down, r.inactive)...)
	top = append(top,
		span{" " + yield + "  ", ""},
		span{fmt.Sprintf("%-10s", r.band), look},
		span{fmt.Sprintf("  %2d/%-2d → %-3d ", r.spec, r.ready, r.desired), ""},
		span{r.next, ""},
	)
	indent := strings.Repeat(" ", nameWidth)
	reason := line{{indent + r.reason, ""}}
	if r.shadow {
		return []line{top, reason}
	}
	most := slices.Max(append([]float64{1}, t.replicas...))
	return []line{top, reason, {
		{indent + "yield " + sparkline(t.yields, 1, historyWidth) + "  workers " + sparkline(t.replicas, most, historyWidth), look},
		{"  " + r.about, dim},
	}}
}

// lookOf returns the colour of a band.
func lookOf(band string) style {
	switch band {
	case ScaleUp.String():
		return red
	case Hold.String():
		return green
	case ScaleDown.String():
		return yellow
	case Inactive.String():
		return blue
	case Woken.String():
		return magenta
	}
	return ""
}

// screen draws pictures in place, on the other screen of a terminal.
type screen struct {
	out  io.Writer
	term Terminal
}

func (s *screen) enter() error { return s.write(escEnter) }

// leave gives the terminal back as it was.
func (s *screen) leave() error { return s.write(escLeave) }

func (s *screen) draw(p picture) error {
	width, height := s.term.size()
	return s.write(frame(p.lines(width), width, height, s.term.Color))
}

func (s *screen) write(text string) error {
	_, err := io.WriteString(s.out, text)
	return err
}
