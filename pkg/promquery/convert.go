package promquery

import (
	"errors"
	"fmt"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/zmy"
	"github.com/prometheus/common/model"
)

func notAScalar() Point { return Point{State: zmy.NotAScalar} }

// instantPoint reads the answer to an instant query.
func instantPoint(value model.Value, at model.Time) (Point, error) {
	switch v := value.(type) {
	case *model.Scalar:
		if v.Timestamp != at {
			return Point{}, otherInstant(v.Timestamp, at)
		}
		return Point{State: zmy.Good, Value: float64(v.Value)}, nil
	case model.Vector:
		return vectorPoint(v, at)
	case model.Matrix, *model.String:
		return notAScalar(), nil
	}
	return Point{}, garbage("the answer holds no result")
}

func vectorPoint(v model.Vector, at model.Time) (Point, error) {
	for _, s := range v {
		if s == nil {
			return Point{}, garbage("the answer holds an empty sample")
		}
		if s.Timestamp != at {
			return Point{}, otherInstant(s.Timestamp, at)
		}
	}
	switch {
	case len(v) == 0:
		return Point{State: zmy.Missing}, nil
	case len(v) > 1:
		return Point{State: zmy.SeveralSeries}, nil
	case v[0].Histogram != nil:
		return notAScalar(), nil
	}
	return Point{State: zmy.Good, Value: float64(v[0].Value)}, nil
}

func otherInstant(got, asked model.Time) error {
	return garbage("the answer is for the instant %v, not for %v", got, asked)
}

// steps are the instants of one range query, in milliseconds.
type steps struct {
	from, to, step int64
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

// points reads the answer to a range query: for each step what an instant query
// would have said. Series that never meet at one step are not several.
func (s steps) points(value model.Value) ([]Point, error) {
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, garbage("the answer to a range query is no matrix")
	}
	r := reader{steps: s, points: make([]Point, s.len()), owner: make([]int, s.len())}
	for i := range r.points {
		r.points[i].State = zmy.Missing
	}
	for i, stream := range matrix {
		if stream == nil {
			return nil, garbage("the answer holds an empty series")
		}
		if err := r.read(i+1, stream); err != nil {
			return nil, err
		}
	}
	return r.points, nil
}

type reader struct {
	steps
	points []Point
	// owner tells which series, counted from 1, was the last to have a step.
	owner []int
}

func (r *reader) read(series int, stream *model.SampleStream) error {
	for _, v := range stream.Values {
		if err := r.put(series, v.Timestamp, Point{State: zmy.Good, Value: float64(v.Value)}); err != nil {
			return err
		}
	}
	for _, v := range stream.Histograms {
		if err := r.put(series, v.Timestamp, notAScalar()); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) put(series int, at model.Time, p Point) error {
	t := int64(at)
	if t < r.from || t > r.to {
		return garbage("the answer holds the instant %v, outside the range", at)
	}
	if (t-r.from)%r.step != 0 {
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
