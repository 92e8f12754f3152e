package promquery

import (
	"errors"
	"time"
)

// CheckQuery returns why the query cannot be used, nil when it can. What is
// wrong is a [QueryError].
func CheckQuery(query string) error { return errors.New("not implemented") }

// Lookback returns the stretch of time that one sample of the query is averaged
// over. Ranges and subqueries nested in one another add up and the longest path
// counts; a query without any range gives one interval. Offsets do not count.
func Lookback(query string, interval time.Duration) (time.Duration, error) {
	return interval, nil
}

// BareComparison reports whether the query is a comparison without bool at its
// top level: it gives nothing, rather than 0, while it is false.
func BareComparison(query string) bool { return false }
