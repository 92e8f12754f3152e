package grpcserver

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/infra-arch/zmy-scaler/internal/engine"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
)

// unavailable tells why an answer says nothing.
func unavailable(a engine.Answer) error {
	return &engine.UnavailableError{Reason: a.Told.Reason, Since: a.Told.Since, Detail: a.Failure}
}

// statusOf gives an error its gRPC code. KEDA treats all codes alike; people who
// read its log do not.
func statusOf(err error) error {
	return status.Error(codeOf(err), err.Error())
}

func codeOf(err error) codes.Code {
	switch {
	case is[trigger.Faults](err), is[*engine.MetricTypeError](err):
		return codes.InvalidArgument
	case is[*engine.UnknownSourceError](err):
		return codes.NotFound
	case is[*engine.ForbiddenSourceError](err):
		return codes.PermissionDenied
	case is[*engine.UnavailableError](err):
		return codes.Unavailable
	case is[*engine.TooManyTriggersError](err):
		return codes.ResourceExhausted
	case errors.Is(err, context.DeadlineExceeded):
		return codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		return codes.Canceled
	}
	return codes.Internal
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
