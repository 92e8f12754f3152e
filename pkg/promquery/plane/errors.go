package plane

import (
	"errors"
	"fmt"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// ErrNoTime tells that a query was not asked, since the round's time was used up.
var ErrNoTime = errors.New("not asked: the round's time was used up")

// DownError tells that a query was not asked, since nothing was answered for a
// while.
type DownError struct {
	// Since is when that began.
	Since time.Time
	// Err is what came of the last request.
	Err error
}

// Error says since when, and what came of the last request.
func (e *DownError) Error() string {
	return fmt.Sprintf("not asked, since nothing was answered since %s: %s", e.Since.UTC().Format(time.RFC3339), brief(e.Err))
}

// Unwrap returns what came of the last request.
func (e *DownError) Unwrap() error { return e.Err }

// RestError tells that a query that failed alone is not asked for a while.
type RestError struct {
	// Until is when it will be asked again.
	Until time.Time
	// Err is how it failed.
	Err error
}

// Error says how the query failed, and until when it rests.
func (e *RestError) Error() string {
	return fmt.Sprintf("%v; asked again after %s", e.Err, e.Until.UTC().Format(time.RFC3339))
}

// Unwrap returns how the query failed.
func (e *RestError) Unwrap() error { return e.Err }

// SharedError tells that a query was asked together with others, that the request
// failed, and that there was no time to find out whose fault it was.
type SharedError struct {
	// Members is how many queries were asked together.
	Members int
	// Err is what came of the request.
	Err error
}

// Error says how many were asked, and what came of it.
func (e *SharedError) Error() string {
	return fmt.Sprintf("asked together with %d others, of which any may be at fault: %s", e.Members-1, brief(e.Err))
}

// brief tells of a failure that is not of one query alone: it goes to tenants whose
// query it may not be about.
func brief(err error) string {
	if e, ok := errors.AsType[*promquery.Error](err); ok {
		return e.Brief()
	}
	return fmt.Sprint(err)
}

// Unwrap returns what came of the request.
func (e *SharedError) Unwrap() error { return e.Err }
