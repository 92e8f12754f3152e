package tools

import (
	"fmt"
	"io"
	"time"
)

// progress tells what is built and how long the rest will take.
type progress struct {
	log            io.Writer
	started, since time.Time
	n, i           int
	left, spent    time.Duration // by the costs in the catalogue
}

func newProgress(log io.Writer, missing []Tool) *progress {
	p := &progress{log: log, started: time.Now(), n: len(missing)}
	for _, t := range missing {
		p.left += t.Cost
	}
	return p
}

// begin announces a build. The estimate starts from the catalogue and follows the
// pace of this machine as soon as there is one.
func (p *progress) begin(t Tool) {
	p.i++
	p.since = time.Now()
	left := p.left
	if p.spent > 0 {
		left = time.Duration(float64(left) * time.Since(p.started).Seconds() / p.spent.Seconds())
	}
	fmt.Fprintf(p.log, "build %d of %d: %s; %s so far, about %s left\n",
		p.i, p.n, t.Name, time.Since(p.started).Round(time.Second), left.Round(time.Second))
}

func (p *progress) end(t Tool) {
	p.left -= t.Cost
	p.spent += t.Cost
	fmt.Fprintf(p.log, "  built %s in %s\n", t.Name, time.Since(p.since).Round(100*time.Millisecond))
}
