package promquery

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// guard stands between the wire and the API client of one request. It reads the
// answer itself: the API client is lenient where that would hurt, since it takes
// an answer without a status for a success, knows no strings, and drops what a
// 503 has to say.
type guard struct {
	api.Client

	label string // see readReply
	reply *reply // what was read, nil until then
}

// emptyBody is what the API client gets to read where the guard has read all.
const emptyBody = `{"status":"success","data":{"resultType":"vector","result":[]}}`

// Do sends the request and returns an error for every answer that is not a
// complete success.
func (g *guard) Do(ctx context.Context, req *http.Request) (*http.Response, []byte, error) {
	resp, body, err := g.Client.Do(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode/100 != 2 {
		// The response goes along: 403, 405 and 501 make the client try GET.
		return resp, nil, statusError(resp.StatusCode, body)
	}
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, nil, garbage("not the JSON of a query API: %w", err)
	}
	switch e.Status {
	case "success":
	case "error":
		return resp, body, nil // the API client turns it into its error
	default:
		return nil, nil, garbage("the status is %q", clean(e.Status))
	}
	if g.reply, err = readReply(&e, g.label); err != nil {
		return nil, nil, err
	}
	return resp, []byte(emptyBody), nil
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
