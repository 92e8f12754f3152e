package promquery

import (
	"fmt"
)

// Kind tells how a request to a source ended. The list is closed.
type Kind uint8

// The kinds, in the order in which they are documented.
const (
	// KindOK: the source answered. No [Error] is of this kind.
	KindOK Kind = iota
	// KindTimeout: no answer in time, or the server gave up on the query.
	KindTimeout
	// KindCanceled: the caller went away.
	KindCanceled
	// KindUnreachable: no connection, or it broke before the answer was whole.
	KindUnreachable
	// KindAuth: the server refused the credentials, or they could not be read.
	KindAuth
	// KindServer: the server answered with an HTTP error of its own.
	KindServer
	// KindBadQuery: the server refused the query or its parameters.
	KindBadQuery
	// KindExecution: the server failed while evaluating the query.
	KindExecution
	// KindGarbage: the answer is not what a Prometheus would send.
	KindGarbage
	// KindTooLarge: the answer exceeds the size limit.
	KindTooLarge
	// KindRedirect: the server sent the request elsewhere.
	KindRedirect
	// NumKinds is how many kinds there are.
	NumKinds
)

// String returns the kind as a lower-case word, fit for a metric label.
func (k Kind) String() string {
	switch k {
	case KindOK:
		return "ok"
	case KindTimeout:
		return "timeout"
	case KindCanceled:
		return "canceled"
	case KindUnreachable:
		return "unreachable"
	case KindAuth:
		return "auth"
	case KindServer:
		return "server_error"
	case KindBadQuery:
		return "bad_query"
	case KindExecution:
		return "execution"
	case KindGarbage:
		return "garbage"
	case KindTooLarge:
		return "too_large"
	case KindRedirect:
		return "redirect"
	case NumKinds:
	}
	return "unknown"
}

// Error is a request to a source that brought no answer. Its message names the
// source and what happened, and holds neither the source's address nor credentials.
type Error struct {
	// Kind is never KindOK.
	Kind Kind
	// Source is the name of the source.
	Source string
	// Query is the PromQL that was sent.
	Query string
	// Status is the HTTP status, 0 when there was none.
	Status int
	// Err is what happened.
	Err error
}

// Error returns the source, the kind and what happened.
func (e *Error) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("source %q: %s (HTTP status %d): %v", e.Source, e.Kind, e.Status, e.Err)
	}
	return fmt.Sprintf("source %q: %s: %v", e.Source, e.Kind, e.Err)
}

// Brief is Error without the server's words about a query, which may quote series
// that are not everybody's.
func (e *Error) Brief() string {
	if e.Kind != KindBadQuery && e.Kind != KindExecution {
		return e.Error()
	}
	return fmt.Sprintf("source %q: %s", e.Source, e.Kind)
}

// Unwrap returns what happened.
func (e *Error) Unwrap() error { return e.Err }
