package trigger

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/common/model"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

type dur = time.Duration

type setter = func(*Trigger, string) error

// number reads a plain decimal number. NaN and infinities parse as floats and
// are no numbers here.
func number(v string) (float64, error) {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, errors.New("must be a number")
	}
	return f, nil
}

func ratio(field func(*Trigger) *float64) setter {
	return func(t *Trigger, v string) error {
		f, err := number(v)
		if err != nil || f < 0 || f > 1 {
			return errors.New("must be a number between 0 and 1")
		}
		*field(t) = f
		return nil
	}
}

func above(low, high float64, field func(*Trigger) *float64) setter {
	return func(t *Trigger, v string) error {
		f, err := number(v)
		if err != nil || f <= low || f > high {
			return fmt.Errorf("must be a number above %v and at most %v", low, high)
		}
		*field(t) = f
		return nil
	}
}

// duration reads seconds, or a duration as Go (1m30s) or Prometheus (1d) write it.
func duration(v string) (time.Duration, error) {
	bad := errors.New("must be a number of seconds, or a duration such as 90s or 5m")
	if f, err := number(v); err == nil {
		if math.Abs(f) > maxDuration.Seconds() {
			return 0, fmt.Errorf("must not be longer than %v", model.Duration(maxDuration))
		}
		return time.Duration(math.Round(f*1000)) * time.Millisecond, nil
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		m, merr := model.ParseDuration(v)
		if merr != nil {
			return 0, bad
		}
		d = time.Duration(m)
	}
	if d > maxDuration || d < -maxDuration {
		return 0, fmt.Errorf("must not be longer than %v", model.Duration(maxDuration))
	}
	return d.Round(time.Millisecond), nil
}

func notNegative(field func(*Trigger) *dur) setter {
	return func(t *Trigger, v string) error {
		d, err := duration(v)
		if err == nil && d < 0 {
			err = errors.New("must not be negative")
		}
		if err != nil {
			return err
		}
		*field(t) = d
		return nil
	}
}

func positive(field func(*Trigger) *dur) setter {
	return func(t *Trigger, v string) error {
		d, err := duration(v)
		if err == nil && d <= 0 {
			err = errors.New("must be longer than 0")
		}
		if err != nil {
			return err
		}
		*field(t) = d
		return nil
	}
}

func choice(pick func(*Trigger, int), choices ...string) setter {
	return func(t *Trigger, v string) error {
		for i, c := range choices {
			if v == c {
				pick(t, i)
				return nil
			}
		}
		return fmt.Errorf("must be %s", orList(choices))
	}
}

func orList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(w)
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

func (t *Trigger) setQuery(role zmy.Role, v string) error {
	if err := promquery.CheckQuery(v); err != nil {
		return err
	}
	if (role == zmy.Wake || role == zmy.Guard) && promquery.BareComparison(v) {
		return errors.New("a bare comparison gives nothing when it is false, which reads as missing data: compare with bool, as in \"> bool 0\"")
	}
	t.Queries[role] = v
	return nil
}

// setTarget keeps the target as the HPA will see it: KEDA prints it with three
// decimals.
func setTarget(t *Trigger, v string) error {
	f, err := number(v)
	if err != nil || f <= 0 || f >= 100 {
		return errors.New("must be a number of percent above 0 and below 100")
	}
	printed := strconv.FormatFloat(f, 'f', 3, 64)
	milli, err := strconv.ParseInt(strings.Replace(printed, ".", "", 1), 10, 64)
	if err != nil || milli <= 0 {
		return errors.New("must be at least 0.001")
	}
	t.Target, t.Policy.Target, t.Policy.TargetMilli = f, f/100, milli
	return nil
}

func setTolerance(t *Trigger, v string) error {
	f, err := number(v)
	if err != nil || f < 0 || f >= 1 {
		return errors.New("must be a number from 0 to below 1")
	}
	t.Tolerance, t.ToleranceGiven = decision.Tolerance{Down: f, Up: f}, true
	return nil
}

// metricName is what both an HPA metric name and a label value take. KEDA puts
// an index before it.
func setMetricName(t *Trigger, v string) error {
	odd := func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.", r)
	}
	if len(v) > 100 || strings.ContainsFunc(v, odd) || strings.ContainsRune("-_.", rune(v[0])) {
		return errors.New("must be letters, digits, \"-\", \"_\" and \".\", at most 100, beginning with a letter or digit")
	}
	t.MetricName = v
	return nil
}
