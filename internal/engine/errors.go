package engine

import (
	"fmt"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// UnknownSourceError tells that a trigger names a source that is not configured.
type UnknownSourceError struct{ Source string }

// Error names the source.
func (e *UnknownSourceError) Error() string {
	return fmt.Sprintf("source %q: is not in the scaler's configuration", e.Source)
}

// ForbiddenSourceError tells that a trigger's namespace may not use the source.
type ForbiddenSourceError struct{ Source, Namespace string }

// Error names the source and the namespace.
func (e *ForbiddenSourceError) Error() string {
	return fmt.Sprintf("source %q: namespace %q is not among its namespaces in the scaler's configuration", e.Source, e.Namespace)
}

// MetricTypeError tells that the metric type the scaler was told and the one in
// the ScaledObject are at odds, so that any number would be read wrongly.
type MetricTypeError struct {
	// Given is the metadata's, Live the ScaledObject's; Conflict is set
	// instead where several triggers with this metadata disagree.
	Given, Live decision.MetricType
	Conflict    bool
}

// Error says what to change.
func (e *MetricTypeError) Error() string {
	if e.Conflict {
		return "metricType: triggers of this ScaledObject have the same metadata and different metricTypes: give each a metricName of its own and repeat its metricType in its metadata"
	}
	return fmt.Sprintf("metricType %q: the ScaledObject's trigger has metricType %q: make them agree", e.Given, e.Live)
}

// UnavailableError tells that nothing can be said now.
type UnavailableError struct {
	Reason decision.Reason
	// Since is when the data went missing; zero where that is not the cause.
	Since time.Time
	// Detail says more, where there is more.
	Detail string
}

// Error says why, since when, and what is known of the cause.
func (e *UnavailableError) Error() string {
	text := e.Reason.Text()
	if !e.Since.IsZero() {
		text += ", since " + e.Since.UTC().Format(time.RFC3339)
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// TooManyTriggersError tells that no more triggers are taken.
type TooManyTriggersError struct{ Max int }

// Error names the limit.
func (e *TooManyTriggersError) Error() string {
	return fmt.Sprintf("%d triggers are known already, and no more are taken", e.Max)
}
