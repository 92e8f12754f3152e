package demo

import (
	"strings"
	"unicode/utf8"
)

// Escape sequences of ECMA-48 terminals.
const (
	escHome       = "\x1b[H"
	escClearLine  = "\x1b[K"
	escClearBelow = "\x1b[J"
	escEnter      = "\x1b[?1049h\x1b[?25l" // the other screen, without a cursor
	escLeave      = "\x1b[?25h\x1b[?1049l"
	escPlain      = "\x1b[0m"
)

// style is how a piece of text looks; the zero style is plain.
type style string

const (
	bold    style = "\x1b[1m"
	dim     style = "\x1b[2m"
	red     style = "\x1b[31m"
	green   style = "\x1b[32m"
	yellow  style = "\x1b[33m"
	blue    style = "\x1b[34m"
	magenta style = "\x1b[35m"
)

// span is a piece of text in one style. All of its characters are one cell wide.
type span struct {
	text  string
	style style
}

type line []span

// crop returns the line cut to a width.
func (l line) crop(width int) line {
	var out line
	for _, s := range l {
		n := utf8.RuneCountInString(s.text)
		if n > width {
			s.text = string([]rune(s.text)[:width])
			n = width
		}
		if width -= n; n > 0 {
			out = append(out, s)
		}
	}
	return out
}

// write appends the line to b.
func (l line) write(b *strings.Builder, color bool) {
	for _, s := range l {
		if !color || s.style == "" {
			b.WriteString(s.text)
			continue
		}
		b.WriteString(string(s.style))
		b.WriteString(s.text)
		b.WriteString(escPlain)
	}
}

// frame returns what draws the lines over the last frame: every line is written
// over the old one and its end cleared, so that nothing flickers.
func frame(lines []line, width, height int, color bool) string {
	var b strings.Builder
	b.WriteString(escHome)
	for i, l := range lines {
		if i >= height-1 {
			break // a line break in the last row would scroll
		}
		l.crop(width).write(&b, color)
		b.WriteString(escClearLine + "\r\n")
	}
	b.WriteString(escClearBelow)
	return b.String()
}

// bar draws a value between 0 and 1 with marks at some places.
func bar(v float64, known bool, width int, fill style, marks ...float64) line {
	at := map[int]bool{}
	for _, m := range marks {
		at[min(width-1, int(m*float64(width)))] = true
	}
	filled := 0
	if known {
		filled = int(v*float64(width) + 0.5)
	}
	var l line
	for i := range width {
		cell := span{"░", dim}
		switch {
		case at[i]:
			cell = span{"│", bold}
		case i < filled:
			cell = span{"█", fill}
		}
		if n := len(l); n > 0 && l[n-1].style == cell.style {
			l[n-1].text += cell.text
			continue
		}
		l = append(l, cell)
	}
	return l
}

// sparkline draws values from 0 to top, one cell each; a value below 0 leaves
// its cell empty.
func sparkline(values []float64, top float64, width int) string {
	levels := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range tail(values, width) {
		if v < 0 {
			b.WriteByte(' ')
			continue
		}
		i := 0
		if top > 0 {
			i = int(v / top * float64(len(levels)-1))
		}
		b.WriteRune(levels[min(max(i, 0), len(levels)-1)])
	}
	b.WriteString(strings.Repeat(" ", max(0, width-len(values))))
	return b.String()
}
