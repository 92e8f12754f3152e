package promquery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// guard stands between the wire and the API client, which is lenient where that
// would hurt: it reads a sample without a value as 0, takes an answer without a
// status for a success, knows no strings, and drops what a 503 has to say.
type guard struct{ api.Client }

// Do sends the request and returns an error for every answer that is not a
// complete success.
func (g guard) Do(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	resp, body, err := g.Client.Do(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode/100 != 2 {
		// The response goes along: 403, 405 and 501 make the client try GET.
		return resp, nil, statusError(resp.StatusCode, body)
	}
	if err := checkBody(body); err != nil {
		return nil, nil, err
	}
	return resp, body, nil
}

// stringAnswer is an answer that is a string. The API client cannot decode it.
type stringAnswer struct{ warnings []string }

// Error says what came.
func (*stringAnswer) Error() string { return "the answer is a string" }

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

// statusError turns an HTTP error into an [Error] without source and query.
func statusError(status int, body []byte) error {
	var e envelope
	if json.Unmarshal(body, &e) == nil && e.Error != "" {
		return &Error{Kind: kindOf(e.ErrorType), Status: status, Err: errors.New(clean(e.Error))}
	}
	kind, text := KindServer, http.StatusText(status)
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		kind = KindAuth
	case status == http.StatusNotFound:
		text = "no query API below the source's url"
	case text == "":
		text = "unknown status"
	}
	return &Error{Kind: kind, Status: status, Err: errors.New(text)}
}

// kindOf maps the error types of the API.
func kindOf(errorType string) Kind {
	switch v1.ErrorType(errorType) {
	case v1.ErrBadData:
		return KindBadQuery
	case v1.ErrTimeout:
		return KindTimeout
	case v1.ErrExec, v1.ErrCanceled:
		// Canceled by the server: the caller is still there.
		return KindExecution
	case v1.ErrBadResponse:
		return KindGarbage
	}
	return KindServer
}

// checkBody refuses bodies that the API client would misread.
func checkBody(body []byte) error {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return garbage("not the JSON of a query API: %w", err)
	}
	switch {
	case e.Status == "error":
		return nil // the API client turns it into its error
	case e.Status != "success":
		return garbage("the status is %q", clean(e.Status))
	}
	var err error
	switch e.Data.ResultType {
	case "string":
		return &stringAnswer{warnings: e.Warnings}
	case "scalar":
		err = json.Unmarshal(e.Data.Result, new(strictPair))
	case "vector":
		err = checkEach(e.Data.Result, strictSample.check)
	case "matrix":
		err = checkEach(e.Data.Result, strictStream.check)
	default:
		return garbage("the result is of type %q", clean(e.Data.ResultType))
	}
	if err != nil {
		return garbage("a malformed %s: %w", e.Data.ResultType, err)
	}
	return nil
}

func garbage(format string, args ...any) error {
	return &Error{Kind: KindGarbage, Err: fmt.Errorf(format, args...)}
}

func checkEach[T any](list json.RawMessage, check func(T) error) error {
	var elements []*T
	if err := json.Unmarshal(list, &elements); err != nil {
		return err
	}
	for i, e := range elements {
		if e == nil {
			return fmt.Errorf("element %d is null", i)
		}
		if err := check(*e); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

type strictSample struct {
	Value     *strictPair     `json:"value"`
	Histogram json.RawMessage `json:"histogram"`
}

func (s strictSample) check() error {
	if (s.Value == nil) == (len(s.Histogram) == 0) {
		return errors.New("it must have either a value or a histogram")
	}
	return nil
}

type strictStream struct {
	Values []strictPair `json:"values"`
}

// check has nothing to do: decoding the pairs was the check.
func (strictStream) check() error { return nil }

// strictPair is a timestamp and a value, both of them there.
type strictPair struct{}

// UnmarshalJSON refuses everything but [number, "string"]. It is called for
// every sample, so it looks at the bytes, which are known to be valid JSON.
func (*strictPair) UnmarshalJSON(b []byte) error {
	first, second, ok := bytes.Cut(b, []byte{','})
	first = bytes.TrimSpace(bytes.TrimPrefix(first, []byte{'['}))
	second = bytes.TrimSpace(bytes.TrimSuffix(second, []byte{']'}))
	number := ok && b[0] == '[' && len(first) > 0 && (first[0] == '-' || first[0] >= '0' && first[0] <= '9')
	text := len(second) > 1 && second[0] == '"' && bytes.IndexByte(second[1:], '"') == len(second)-2
	if !number || !text {
		return errors.New("a sample must be a timestamp and a value in quotes")
	}
	return nil
}
