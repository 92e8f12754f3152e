package demo

import (
	"os"

	"golang.org/x/term"
)

// Terminal says what the output is. The zero Terminal is none: the demo prints
// plain lines.
type Terminal struct {
	// Live redraws one picture in place.
	Live bool
	// Color allows colours.
	Color bool
	// Size returns the columns and rows there are now; 80 by 24 without it.
	Size func() (width, height int)
}

// TerminalOf finds out whether a file is a terminal that can be drawn on, and
// whether the environment wants colours.
func TerminalOf(f *os.File, lookup func(string) (string, bool)) Terminal {
	fd := int(f.Fd())
	kind, _ := lookup("TERM")
	if !term.IsTerminal(fd) || kind == "dumb" {
		return Terminal{}
	}
	noColor, _ := lookup("NO_COLOR")
	return Terminal{Live: true, Color: noColor == "", Size: func() (int, int) {
		width, height, err := term.GetSize(fd)
		if err != nil {
			return 0, 0
		}
		return width, height
	}}
}

func (t Terminal) size() (width, height int) {
	if t.Size != nil {
		if width, height = t.Size(); width > 0 && height > 0 {
			return width, height
		}
	}
	return 80, 24
}
