package backtest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Charts are drawn on a canvas of this size and stretched to the page.
const (
	columns = 900
	height  = 200
)

// chart is one drawing, in the terms of the page's template.
type chart struct {
	Title, About string
	Bands        []strip
	Lines        []curve
	Marks        []mark // along the left side
	Hours        []mark // along the bottom
}

// strip is a coloured part of the background.
type strip struct {
	Class  string
	Top, H string
}

// curve is a path, with what the legend calls it.
type curve struct{ Class, Name, D string }

// mark is a label at a share of a side, in percent.
type mark struct{ At, Label string }

// plot turns moments into paths.
type plot struct {
	from, to time.Time
	top      float64 // the value at the upper edge
}

func (p plot) y(v float64) float64 { return height * (1 - min(1, max(0, v/p.top))) }

// steps draws a value as stairs: the largest one of each column.
func (p plot) steps(moments []moment, value func(moment) float64) string {
	most := p.columns(moments, value, math.Max)
	var b strings.Builder
	last := math.NaN()
	for x, v := range most {
		if v == last || math.IsNaN(v) {
			continue
		}
		y := number(p.y(v))
		if b.Len() == 0 {
			fmt.Fprintf(&b, "M%d %s", x, y)
		} else {
			fmt.Fprintf(&b, "H%dV%s", x, y)
		}
		last = v
	}
	if b.Len() > 0 {
		fmt.Fprintf(&b, "H%d", columns)
	}
	return b.String()
}

// area draws the space between the smallest and the largest value of each column,
// or from 0 up where low is nil.
func (p plot) area(low, high []float64) string {
	var b strings.Builder
	for from := 0; from < columns; {
		if math.IsNaN(high[from]) {
			from++
			continue
		}
		to := from
		for to < columns && !math.IsNaN(high[to]) {
			to++
		}
		fmt.Fprintf(&b, "M%d %s", from, number(p.y(high[from])))
		for x := from; x < to; x++ {
			fmt.Fprintf(&b, "L%d %s", x, number(p.y(high[x])))
		}
		for x := to - 1; x >= from; x-- {
			v := 0.0
			if low != nil {
				v = low[x]
			}
			fmt.Fprintf(&b, "L%d %s", x, number(p.y(v)+0.5))
		}
		b.WriteString("Z")
		from = to
	}
	return b.String()
}

// columns folds the values of each column into one; NaN where there is none.
func (p plot) columns(moments []moment, value func(moment) float64, fold func(a, b float64) float64) []float64 {
	all := make([]float64, columns)
	for i := range all {
		all[i] = math.NaN()
	}
	var seen [columns]bool
	for _, m := range moments {
		x := min(columns-1, max(0, int(columns*m.at.Sub(p.from).Seconds()/p.to.Sub(p.from).Seconds())))
		seen[x] = true
		v := value(m)
		if math.IsNaN(v) {
			continue
		}
		if math.IsNaN(all[x]) {
			all[x] = v
		} else {
			all[x] = fold(all[x], v)
		}
	}
	// A run shorter than the canvas leaves columns without a moment in between: they
	// are as the moment before. A moment without a value stays empty.
	for x := 1; x < columns && len(moments) < columns; x++ {
		if !seen[x] {
			all[x] = all[x-1]
		}
	}
	return all
}

// marks labels the left side with round numbers.
func (p plot) marks(unit string) []mark {
	var all []mark
	for _, v := range ticksOf(p.top) {
		all = append(all, mark{At: number(100 * p.y(v) / height), Label: strconv.FormatFloat(v, 'g', 4, 64) + unit})
	}
	return all
}

// hours labels the bottom at midnights, or at even parts of a shorter time.
func (p plot) hours() []mark {
	span := p.to.Sub(p.from)
	step, layout := 24*time.Hour, "2 Jan"
	for span/step > 8 {
		step *= 2
	}
	if span < 48*time.Hour {
		layout = "15:04"
		for _, step = range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour} {
			if span/step <= 8 {
				break
			}
		}
	}
	var all []mark
	for at := p.from.UTC().Truncate(step); !at.After(p.to); at = at.Add(step) {
		if share := at.Sub(p.from).Seconds() / span.Seconds(); share >= 0 && share <= 0.97 {
			all = append(all, mark{At: number(100 * share), Label: at.Format(layout)})
		}
	}
	return all
}

// ticksOf returns up to five round numbers from 0 to top.
func ticksOf(top float64) []float64 {
	size := math.Pow(10, math.Floor(math.Log10(top/2)))
	for top/size > 5 {
		if size *= 2; top/size > 5 {
			size *= 2.5
		}
	}
	var all []float64
	for i := 0; float64(i)*size <= top; i++ {
		all = append(all, math.Round(1e6*float64(i)*size)/1e6)
	}
	return all
}

func number(v float64) string { return strconv.FormatFloat(math.Round(10*v)/10, 'f', -1, 64) }
