package backtest

import (
	"fmt"
	"time"

	"github.com/prometheus/common/model"
)

// ParseTime reads a time as [ReadDemand] does, "now", or how long ago, such as 7d.
func ParseTime(text string, now time.Time) (time.Time, error) {
	if text == "now" {
		return now, nil
	}
	if d, err := model.ParseDuration(text); err == nil {
		return now.Add(-time.Duration(d)), nil
	}
	at, err := readTime(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w, now, or how long ago, such as 7d", err)
	}
	return at, nil
}
