package backtest

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/simulate"
)

// maxSteps bounds a demand, which has a number for each step between its first
// and last row, and the decisions of a replay: 5 years, in steps of 15 s.
const maxSteps = 5 * 366 * 24 * 60 * 4

// A demand lies between these years and its lines are no further apart than this.
// With a step of all its length it is twice as long.
const (
	firstYear, lastYear = 1700, 2200
	maxYears            = 5
)

// maxBusy is more busy workers than any fleet has.
const maxBusy = 1e9

// CheckLength refuses a demand that takes too many decisions, however few its steps.
func (p *Plan) CheckLength(d simulate.Demand) error {
	length, interval := d.End().Sub(d.Start), p.Trigger.Policy.Grid.Interval()
	if n := length / interval; n > maxSteps {
		return fmt.Errorf("%s of demand are %d decisions %v apart, and at most %d can be replayed: is a timestamp wrong, or the interval too short?", span(length), n, interval, maxSteps)
	}
	return nil
}

// ReadDemand reads a demand curve: a timestamp and an amount a line, the amount
// being what arrives in the step that begins there. The demand in busy workers is
// the amount over what one worker does in a step. A step is the shortest distance
// between two lines; steps without a line are steps without work.
func ReadDemand(r io.Reader, perWorker float64) (simulate.Demand, error) {
	if !(perWorker > 0) || math.IsInf(perWorker, 0) {
		return simulate.Demand{}, errors.New("what one worker does in a step must be a number above 0")
	}
	rows, err := readRows(r)
	if err != nil {
		return simulate.Demand{}, err
	}
	if len(rows) < 2 {
		return simulate.Demand{}, errors.New("a demand needs two lines at least: their distance is the step")
	}
	first, last := rows[0].at, rows[len(rows)-1].at
	if last.After(first.AddDate(maxYears, 0, 0)) {
		return simulate.Demand{}, fmt.Errorf("%s to %s are more than %d years: is a timestamp wrong?", first.Format(time.DateOnly), last.Format(time.DateOnly), maxYears)
	}
	step := rows[1].at.Sub(first)
	for i := 1; i < len(rows); i++ {
		step = min(step, rows[i].at.Sub(rows[i-1].at))
	}
	if last.Sub(first)/step >= maxSteps {
		return simulate.Demand{}, fmt.Errorf("%v in steps of %v are more than %d: is a timestamp wrong?", last.Sub(first), step, maxSteps)
	}
	d := simulate.Demand{Start: first, Step: step, Busy: make([]float64, int(last.Sub(first)/step)+1)}
	for _, row := range rows {
		since := row.at.Sub(first)
		if since%step != 0 {
			return simulate.Demand{}, fmt.Errorf("line %d: %s does not lie on the steps of %v from the first line on", row.line, row.at.Format(time.RFC3339), step)
		}
		busy := row.amount / perWorker
		if busy > maxBusy {
			return simulate.Demand{}, fmt.Errorf("line %d: %v, at %v a worker, is work for more than %g workers: is one of them wrong?", row.line, row.amount, perWorker, maxBusy)
		}
		d.Busy[since/step] = busy
	}
	return d, nil
}

type row struct {
	line   int
	at     time.Time
	amount float64
}

// readRows reads all lines, in the order of time. The first one may be a heading.
func readRows(r io.Reader) ([]row, error) {
	in := csv.NewReader(bufio.NewReader(r))
	in.Comment, in.TrimLeadingSpace, in.FieldsPerRecord, in.ReuseRecord = '#', true, -1, true
	var rows []row
	for first := true; ; first = false {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("demand: %w", err)
		}
		line, _ := in.FieldPos(0)
		next, err := readRow(record)
		if err != nil && first && isHeading(record) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		next.line = line
		if n := len(rows); n > 0 && !next.at.After(rows[n-1].at) {
			return nil, fmt.Errorf("line %d: %s is not after the line before", line, next.at.Format(time.RFC3339))
		}
		rows = append(rows, next)
	}
}

func readRow(record []string) (row, error) {
	if len(record) != 2 {
		return row{}, fmt.Errorf("must have two columns, a timestamp and an amount, not %d", len(record))
	}
	at, err := readTime(strings.TrimSpace(record[0]))
	if err != nil {
		return row{}, err
	}
	amount, err := strconv.ParseFloat(strings.TrimSpace(record[1]), 64)
	if err != nil || math.IsNaN(amount) || math.IsInf(amount, 0) || amount < 0 {
		return row{}, fmt.Errorf("%q: must be a number that is not negative", record[1])
	}
	return row{at: at, amount: amount}, nil
}

// isHeading reports whether no column of a line is a number or a time.
func isHeading(record []string) bool {
	for _, field := range record {
		if field = strings.TrimSpace(field); field == "" || strings.ContainsRune("0123456789+-.", rune(field[0])) {
			return false
		}
	}
	return true
}

// readTime reads RFC 3339, the same without a zone, which is UTC then, or Unix
// seconds.
func readTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return inRange(at.UTC(), text)
		}
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(s) < 1e11 {
		return inRange(time.UnixMilli(int64(math.Round(s*1000))).UTC(), text)
	}
	return time.Time{}, fmt.Errorf("%q: must be a time such as 2026-03-01T08:00:00Z, or Unix seconds", text)
}

// inRange refuses what is surely no time that demand was seen at.
func inRange(at time.Time, text string) (time.Time, error) {
	if at.Year() < firstYear || at.Year() > lastYear {
		return time.Time{}, fmt.Errorf("%q: must be a year from %d to %d", text, firstYear, lastYear)
	}
	return at, nil
}
