package promembed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
)

// maxSteps is how many steps beyond the first a range query may have.
const maxSteps = 11_000

// statusClientGone is what a Prometheus answers to a query that was canceled.
const statusClientGone = 499

// response is the outside of every answer, in the API's own shape.
type response struct {
	Status    string   `json:"status"`
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Infos     []string `json:"infos,omitempty"`
}

type queryData struct {
	ResultType parser.ValueType `json:"resultType"`
	Result     json.RawMessage  `json:"result"`
}

// badData is a fault of the request.
type badData struct{ error }

// Unwrap returns the fault.
func (e badData) Unwrap() error { return e.error }

func (s *Server) routes() {
	s.mux.HandleFunc("/-/ready", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ready")
	})
	for path, prepare := range map[string]preparer{
		"/api/v1/query":       s.instantQuery,
		"/api/v1/query_range": s.rangeQuery,
	} {
		s.mux.HandleFunc("GET "+path, s.serve(prepare))
		s.mux.HandleFunc("POST "+path, s.serve(prepare))
	}
}

// preparer turns a request into a query. Its errors are the request's fault.
type preparer func(ctx context.Context, q storage.Queryable, r *http.Request) (promql.Query, error)

func (s *Server) serve(prepare preparer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.RLock()
		defer s.mu.RUnlock()
		status, body := http.StatusOK, response{Status: "success"}
		if err := s.run(r, prepare, &body); err != nil {
			status, body.ErrorType = errorType(err)
			body.Status, body.Error = "error", err.Error()
		}
		text, err := json.Marshal(body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(text) // the client has gone: nobody is left to be told
	}
}

func (s *Server) run(r *http.Request, prepare preparer, body *response) error {
	ctx := r.Context()
	if text := r.FormValue("timeout"); text != "" {
		d, err := parseDuration("timeout", text)
		if err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, d)
		defer cancel()
		ctx = limited
	}
	query, err := prepare(ctx, s, r)
	if err != nil {
		return badData{err}
	}
	defer query.Close() // takes the result's memory back
	result := query.Exec(ctx)
	body.Warnings, body.Infos = result.Warnings.AsStrings(r.FormValue("query"), 10, 10)
	if result.Err != nil {
		return result.Err
	}
	text, err := json.Marshal(shaped(result.Value))
	if err != nil {
		return err
	}
	body.Data = queryData{ResultType: result.Value.Type(), Result: text}
	return nil
}

func (s *Server) instantQuery(ctx context.Context, q storage.Queryable, r *http.Request) (promql.Query, error) {
	at := s.now()
	if text := r.FormValue("time"); text != "" {
		var err error
		if at, err = parseTime("time", text); err != nil {
			return nil, err
		}
	}
	return s.engine.NewInstantQuery(ctx, q, nil, r.FormValue("query"), at)
}

func (s *Server) rangeQuery(ctx context.Context, q storage.Queryable, r *http.Request) (promql.Query, error) {
	start, err1 := parseTime("start", r.FormValue("start"))
	end, err2 := parseTime("end", r.FormValue("end"))
	step, err3 := parseDuration("step", r.FormValue("step"))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	switch {
	case end.Before(start):
		return nil, errors.New("end is before start")
	case step <= 0:
		return nil, errors.New("step must be above 0")
	case end.Sub(start)/step > maxSteps:
		return nil, fmt.Errorf("more than %d steps: use a longer step", maxSteps)
	}
	return s.engine.NewRangeQuery(ctx, q, nil, r.FormValue("query"), start, end, step)
}

// shaped gives empty results their shape: a list, never null.
func shaped(v parser.Value) parser.Value {
	switch list := v.(type) {
	case promql.Vector:
		if list == nil {
			return promql.Vector{}
		}
	case promql.Matrix:
		if list == nil {
			return promql.Matrix{}
		}
	}
	return v
}

// errorType returns the HTTP status and the API's name for an error.
func errorType(err error) (int, string) {
	var canceled promql.ErrQueryCanceled
	var timeout promql.ErrQueryTimeout
	var failed promql.ErrStorage
	switch {
	case errors.As(err, new(badData)):
		return http.StatusBadRequest, "bad_data"
	case errors.As(err, &timeout):
		return http.StatusServiceUnavailable, "timeout"
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return statusClientGone, "canceled"
	case errors.As(err, &failed), errors.Is(err, ErrClosed):
		return http.StatusInternalServerError, "internal"
	}
	return http.StatusUnprocessableEntity, "execution"
}

// parseTime reads Unix seconds, rounded to milliseconds, or RFC 3339.
func parseTime(name, text string) (time.Time, error) {
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		ms := math.Round(f * 1000)
		if !(math.Abs(ms) < math.MaxInt64) { // NaN too
			return time.Time{}, badData{fmt.Errorf("%s %q is out of range", name, text)}
		}
		return time.UnixMilli(int64(ms)).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return time.Time{}, badData{fmt.Errorf("%s %q is neither Unix seconds nor RFC 3339", name, text)}
	}
	return t, nil
}

// parseDuration reads seconds or a Prometheus duration such as 1m30s.
func parseDuration(name, text string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		ns := f * float64(time.Second)
		if !(math.Abs(ns) < math.MaxInt64) {
			return 0, badData{fmt.Errorf("%s %q is out of range", name, text)}
		}
		return time.Duration(ns), nil
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		return 0, badData{fmt.Errorf("%s %q is neither seconds nor a duration", name, text)}
	}
	return time.Duration(d), nil
}
