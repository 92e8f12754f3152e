package promquery

import (
	"errors"
	"fmt"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
	"github.com/prometheus/common/model"
)

func notAScalar() Point { return Point{State: zmy.NotAScalar} }

// steps are the instants of one query, in milliseconds. An instant query has one.
type steps struct {
	from, to, step int64
}

// instant are the steps of an instant query.
func instant(at time.Time) steps {
	return steps{from: at.UnixMilli(), to: at.UnixMilli(), step: 1}
}

func newSteps(from, to time.Time, step time.Duration) (steps, error) {
	s := steps{from: from.UnixMilli(), to: to.UnixMilli(), step: step.Milliseconds()}
	switch {
	case s.step <= 0:
		return s, badRange(errors.New("the step must be at least a millisecond"))
	case s.to < s.from:
		return s, badRange(errors.New("the range ends before it starts"))
	case (s.to-s.from)/s.step >= MaxPoints:
		return s, badRange(fmt.Errorf("the range has more than %d steps", MaxPoints))
	}
	return s, nil
}

func badRange(err error) error { return &Error{Kind: KindBadQuery, Err: err} }

func (s steps) len() int { return int((s.to-s.from)/s.step) + 1 }

// instantPoint reads the answer to an instant query.
func instantPoint(r *reply, at time.Time) (Point, error) {
	if r.kind != kindVector && r.kind != kindScalar {
		return notAScalar(), nil
	}
	points, err := instant(at).points(r)
	if err != nil {
		return Point{}, err
	}
	return points[0], nil
}

// points reads all series as the answer to one query. Series that never meet at
// one step are not several.
func (s steps) points(r *reply) ([]Point, error) {
	all := s.readers(1)
	for i := range r.series {
		if err := all[0].read(int32(i+1), &r.series[i]); err != nil {
			return nil, err
		}
	}
	return all[0].points, nil
}

// split reads the answer to a request for several queries: series whose label
// has the value keys[i] are the answer to query i, and there are no others.
func (s steps) split(r *reply, keys []string) ([]Answer, error) {
	index := make(map[string]int, len(keys))
	for i, key := range keys {
		index[key] = i
	}
	all := s.readers(len(keys))
	for i := range r.series {
		k, asked := index[r.series[i].key]
		if !asked {
			return nil, garbage("the answer holds a series for %q, which was not asked for", clean(r.series[i].key))
		}
		if err := all[k].read(int32(i+1), &r.series[i]); err != nil {
			return nil, err
		}
	}
	answers := make([]Answer, len(keys))
	for i := range answers {
		answers[i] = Answer{Points: all[i].points, Warnings: r.warnings}
	}
	return answers, nil
}

// reader puts the series of one query in their places.
type reader struct {
	steps
	points []Point
	// owner tells which series, counted from 1, was the last to have a step.
	owner []int32
}

// readers returns the readers of n queries, at all steps of which is nothing yet.
func (s steps) readers(n int) []reader {
	size := s.len()
	points, owner := make([]Point, n*size), make([]int32, n*size)
	for i := range points {
		points[i].State = zmy.Missing
	}
	all := make([]reader, n)
	for i := range all {
		from, to := i*size, (i+1)*size
		all[i] = reader{steps: s, points: points[from:to:to], owner: owner[from:to]}
	}
	return all
}

func (r *reader) read(series int32, s *series) error {
	for _, v := range s.values {
		if err := r.put(series, v.at, Point{State: zmy.Good, Value: v.v}); err != nil {
			return err
		}
	}
	for _, h := range s.histograms {
		if err := r.put(series, h.at, notAScalar()); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) put(series int32, at model.Time, p Point) error {
	t := int64(at)
	switch {
	case t != r.from && r.from == r.to:
		return garbage("the answer is for the instant %v, not for %v", at, model.Time(r.from))
	case t < r.from || t > r.to:
		return garbage("the answer holds the instant %v, outside the range", at)
	case (t-r.from)%r.step != 0:
		return garbage("the answer holds the instant %v, between two steps", at)
	}
	i := (t - r.from) / r.step
	switch r.owner[i] {
	case 0:
		r.points[i] = p
	case series:
		return garbage("the answer holds the instant %v twice in one series", at)
	default:
		r.points[i] = Point{State: zmy.SeveralSeries}
	}
	r.owner[i] = series
	return nil
}
