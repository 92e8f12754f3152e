package promquery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/prometheus/common/model"
)

// The types of a result, as the API names them.
const (
	kindScalar = "scalar"
	kindString = "string"
	kindVector = "vector"
	kindMatrix = "matrix"
)

// reply is a complete success of the query API, read strictly: the API client
// would take a sample without a value for 0.
type reply struct {
	kind     string
	series   []series // of a vector or a matrix; the one value of a scalar
	warnings []string
}

// series is one series of a reply.
type series struct {
	// key is the value of the label that splits the reply.
	key        string
	values     []value
	histograms []histogram
}

// envelope is the outside of every answer of the query API.
type envelope struct {
	Status    string   `json:"status"`
	ErrorType string   `json:"errorType"`
	Error     string   `json:"error"`
	Warnings  []string `json:"warnings"`
	Data      struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// readReply reads the result of a success; label is the one that splits it, and
// empty where nothing does. The error is of [KindGarbage].
func readReply(e *envelope, label string) (*reply, error) {
	r := &reply{kind: e.Data.ResultType, warnings: e.Warnings}
	var err error
	switch r.kind {
	case kindString:
	case kindScalar:
		r.series = []series{{values: make([]value, 1)}}
		err = json.Unmarshal(e.Data.Result, &r.series[0].values[0])
	case kindVector:
		r.series, err = readEach(e.Data.Result, label, vectorElement.series)
	case kindMatrix:
		r.series, err = readEach(e.Data.Result, label, matrixElement.series)
	default:
		return nil, garbage("the result is of type %q", clean(r.kind))
	}
	if err != nil {
		return nil, garbage("a malformed %s: %w", r.kind, err)
	}
	return r, nil
}

func garbage(format string, args ...any) error {
	return &Error{Kind: KindGarbage, Err: fmt.Errorf(format, args...)}
}

// readEach reads a list of elements, each of which is one series.
func readEach[T any](list json.RawMessage, label string, read func(T, string) (series, error)) ([]series, error) {
	var elements []*T
	if err := json.Unmarshal(list, &elements); err != nil {
		return nil, err
	}
	all := make([]series, len(elements))
	for i, e := range elements {
		if e == nil {
			return nil, fmt.Errorf("element %d is null", i)
		}
		var err error
		if all[i], err = read(*e, label); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return all, nil
}

type vectorElement struct {
	Metric    json.RawMessage `json:"metric"`
	Value     *value          `json:"value"`
	Histogram *histogram      `json:"histogram"`
}

func (e vectorElement) series(label string) (s series, err error) {
	switch {
	case (e.Value == nil) == (e.Histogram == nil):
		return s, errors.New("it must have either a value or a histogram")
	case e.Value != nil:
		s.values = []value{*e.Value}
	default:
		s.histograms = []histogram{*e.Histogram}
	}
	s.key, err = keyOf(e.Metric, label)
	return s, err
}

type matrixElement struct {
	Metric     json.RawMessage `json:"metric"`
	Values     []value         `json:"values"`
	Histograms []histogram     `json:"histograms"`
}

func (e matrixElement) series(label string) (s series, err error) {
	s.values, s.histograms = e.Values, e.Histograms
	s.key, err = keyOf(e.Metric, label)
	return s, err
}

// keyOf returns the value of a label of a metric, empty without one. Nobody reads
// the labels of an answer that is not split.
func keyOf(metric json.RawMessage, label string) (string, error) {
	if label == "" || len(metric) == 0 {
		return "", nil
	}
	var labels map[string]string
	if err := json.Unmarshal(metric, &labels); err != nil {
		return "", err
	}
	return labels[label], nil
}

// value is a number at an instant.
type value struct {
	at model.Time
	v  float64
}

// UnmarshalJSON refuses everything but [number, "number"]. It is called for
// every sample, so it looks at the bytes, which are known to be valid JSON.
func (p *value) UnmarshalJSON(b []byte) error {
	second, err := cutPair(b, &p.at)
	if err != nil {
		return err
	}
	n := len(second)
	if n < 2 || second[0] != '"' || bytes.IndexByte(second[1:], '"') != n-2 {
		return errNoPair
	}
	p.v, err = strconv.ParseFloat(string(second[1:n-1]), 64)
	return err
}

// histogram is the instant at which a series had a histogram, whatever was in it.
type histogram struct{ at model.Time }

// UnmarshalJSON refuses everything but [number, {...}].
func (h *histogram) UnmarshalJSON(b []byte) error {
	second, err := cutPair(b, &h.at)
	if err == nil && (len(second) == 0 || second[0] != '{') {
		err = errNoPair
	}
	return err
}

var errNoPair = errors.New("a sample must be a timestamp and a value in quotes, or a histogram")

// cutPair reads the timestamp of a pair and returns the second half as it stands.
func cutPair(b []byte, at *model.Time) ([]byte, error) {
	first, second, ok := bytes.Cut(b, []byte{','})
	if !ok || b[0] != '[' || b[len(b)-1] != ']' {
		return nil, errNoPair
	}
	first = bytes.TrimSpace(first[1:])
	second = bytes.TrimSpace(second[:len(second)-1])
	if len(first) == 0 || first[0] != '-' && (first[0] < '0' || first[0] > '9') {
		return nil, errNoPair
	}
	return second, at.UnmarshalJSON(first)
}
