package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// patience is how long a command says nothing, and how often it speaks then.
const patience = 2 * time.Second

// progress tells on the error output how far a long command is. Only one stage
// runs at a time.
type progress struct {
	out  io.Writer
	last time.Time
}

func newProgress(out io.Writer) *progress { return &progress{out: out, last: time.Now()} }

// stage returns what is told the share of a stage that is done.
func (p *progress) stage(name string) func(share float64) {
	return func(share float64) {
		if now := time.Now(); now.Sub(p.last) >= patience {
			p.last = now
			fmt.Fprintf(p.out, "%s: %.0f %%\n", name, 100*share)
		}
	}
}

// done writes what the reader should know of the result.
func (p *progress) done(notes []string) {
	for _, n := range notes {
		fmt.Fprintf(p.out, "note: %s\n", n)
	}
}

// oneOf reports whether a word is in a list such as a|b|c.
func oneOf(word, list string) bool { return slices.Contains(strings.Split(list, "|"), word) }
