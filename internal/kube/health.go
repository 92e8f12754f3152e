package kube

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const (
	// staleAfter is how long the API server may fail to answer before what it
	// said last is no longer held to be true.
	staleAfter = 2 * time.Minute
	// logEvery bounds how often a failure that lasts is logged.
	logEvery = time.Minute
)

// health follows whether the API server answers for one resource.
type health struct {
	log *slog.Logger
	now func() time.Time
	// optional tells that things go on as well without, if it is refused.
	optional bool
	// refused is closed when the API server says for the first time that it will
	// not answer: waiting would be in vain.
	refused chan struct{}

	mu     sync.Mutex
	since  time.Time
	logged time.Time
	denied bool
}

func newHealth(log *slog.Logger, now func() time.Time) *health {
	return &health{log: log, now: now, refused: make(chan struct{})}
}

// ok takes in an answer.
func (h *health) ok() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since.IsZero() {
		return
	}
	h.log.Info("reading from kubernetes works again", "after", h.now().Sub(h.since))
	h.since, h.logged = time.Time{}, time.Time{}
}

// failed takes in a failure, and logs it now and then.
func (h *health) failed(err error) {
	if errors.Is(err, context.Canceled) || errors.Is(err, io.EOF) || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		// The end of the process, of a watch, and of what a watch can resume from.
		return
	}
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since.IsZero() {
		h.since = now
	}
	if refusal(err) {
		again := h.denied
		if !again {
			h.denied = true
			close(h.refused)
		}
		if h.optional {
			if !again {
				h.log.Info("kubernetes refuses what is optional", "err", err)
			}
			return
		}
	}
	if h.logged.IsZero() || now.Sub(h.logged) >= logEvery {
		h.logged = now
		h.log.Warn("cannot read from kubernetes", "err", err, "since", h.since)
	}
}

// stale tells that the API server has not answered for so long that what it said
// last cannot be relied on.
func (h *health) stale(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.since.IsZero() && now.Sub(h.since) > staleAfter
}

// refusal tells that the API server was reached and does not serve this.
func refusal(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) ||
		apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err)
}
