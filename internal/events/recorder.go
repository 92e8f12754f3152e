package events

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/infra-arch/zmy-scaler/internal/clock"
)

const (
	// queued is how many events may wait to be written.
	queued = 1000
	// patience bounds the writing of one, on the wall's clock.
	patience = 10 * time.Second
	// logEvery bounds how often it is logged that they cannot be written.
	logEvery = time.Minute
	// clientQPS and clientBurst keep an outage that thousands of triggers notice
	// from being one for the API server too.
	clientQPS   = 10
	clientBurst = 50
)

var (
	scaledObjects = schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}
	eventResource = schema.GroupVersionResource{Version: "v1", Resource: "events"}
)

// Options is what a recorder is made of.
type Options struct {
	Client dynamic.Interface
	Clock  clock.Clock
	Log    *slog.Logger
	// Observe is told what becomes of each event. A state that lasts and was told
	// lately is no event.
	Observe func(Result)
}

// Recorder writes Events. Make one with [New] and let it [Recorder.Run].
type Recorder struct {
	o      Options
	limits *limits
	queue  chan Event
	logged time.Time // of the goroutine that runs
}

// Client returns a client for events, with limits of its own: what is read matters
// more.
func Client(cfg *rest.Config) (dynamic.Interface, error) {
	own := rest.CopyConfig(cfg)
	own.QPS, own.Burst = clientQPS, clientBurst
	client, err := dynamic.NewForConfig(own)
	if err != nil {
		return nil, fmt.Errorf("make a client for events: %w", err)
	}
	return client, nil
}

// New returns a recorder. It writes nothing until it runs.
func New(o Options) *Recorder {
	return &Recorder{o: o, limits: newLimits(), queue: make(chan Event, queued)}
}

// Tell has an event written, soon. It waits for nothing.
func (r *Recorder) Tell(e Event) {
	if !e.nameable() {
		r.o.Observe(Failed)
		return
	}
	e = e.compact()
	switch r.limits.admit(&e, r.o.Clock.Now()) {
	case repeats:
		return
	case tooMuch:
		r.o.Observe(Limited)
		return
	case tell:
	}
	select {
	case r.queue <- e:
	default:
		r.o.Observe(Dropped)
	}
}

// Run writes until ctx ends, and then returns nil.
func (r *Recorder) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-r.queue:
			r.o.Observe(r.record(ctx, e))
		}
	}
}

// record writes an event, and logs now and then that it cannot.
func (r *Recorder) record(ctx context.Context, e Event) Result {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	result, err := r.write(ctx, e)
	if err == nil {
		return result
	}
	if now := r.o.Clock.Now(); now.Sub(r.logged) >= logEvery {
		r.logged = now
		r.o.Log.Warn("cannot write an event", "namespace", e.Namespace, "scaledObject", e.Name,
			"reason", string(e.Reason), "message", e.Message, "error", err)
	}
	return Failed
}

// write creates the Event, or counts it once more.
func (r *Recorder) write(ctx context.Context, e Event) (Result, error) {
	if e.UID == "" {
		so, err := r.o.Client.Resource(scaledObjects).Namespace(e.Namespace).Get(ctx, e.Name, metav1.GetOptions{})
		if err != nil {
			return Failed, fmt.Errorf("find the ScaledObject: %w", err)
		}
		e.UID = so.GetUID()
	}
	_, err := r.o.Client.Resource(eventResource).Namespace(e.Namespace).Create(ctx, e.object(), metav1.CreateOptions{})
	switch {
	case err == nil:
		return Written, nil
	case !apierrors.IsAlreadyExists(err):
		return Failed, err
	}
	// A patch that changes nothing tells what there is, and needs no right to read.
	old, err := r.patch(ctx, &e, map[string]any{})
	if err != nil {
		return Failed, err
	}
	if e.counted(old) {
		return Known, nil
	}
	_, err = r.patch(ctx, &e, e.repeat(old))
	switch {
	case apierrors.IsConflict(err):
		return Known, nil // another replica came in between
	case err != nil:
		return Failed, err
	}
	return Written, nil
}

func (r *Recorder) patch(ctx context.Context, e *Event, patch map[string]any) (*unstructured.Unstructured, error) {
	text, err := json.Marshal(patch)
	if err != nil {
		return nil, err
	}
	return r.o.Client.Resource(eventResource).Namespace(e.Namespace).
		Patch(ctx, e.name(), types.MergePatchType, text, metav1.PatchOptions{})
}
