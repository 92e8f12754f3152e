package proc

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// maxLines bounds what is kept of an output; the oldest lines go first.
const maxLines = 2000

// output keeps the newest lines of what a program writes.
type output struct {
	mu    sync.Mutex
	lines []string
	rest  []byte // of a line that has not ended yet
	cut   bool   // older lines are gone
}

// Write takes what the program wrote.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = append(o.rest, b...)
	for {
		line, rest, ended := bytes.Cut(o.rest, []byte("\n"))
		if !ended {
			break
		}
		o.lines = append(o.lines, string(line))
		o.rest = bytes.Clone(rest)
	}
	if extra := len(o.lines) - maxLines; extra > 0 {
		o.lines = slices.Delete(o.lines, 0, extra)
		o.cut = true
	}
	return len(b), nil
}

// String returns the newest lines.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var text strings.Builder
	if o.cut {
		text.WriteString("(older lines left out)\n")
	}
	for _, line := range o.lines {
		text.WriteString(line + "\n")
	}
	if len(o.rest) > 0 {
		text.WriteString(string(o.rest) + "\n")
	}
	return text.String()
}

// first returns the oldest line that has ended and satisfies match.
func (o *output) first(match func(string) bool) (line string, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.lines, match)
	if i < 0 {
		return "", false
	}
	return o.lines[i], true
}
