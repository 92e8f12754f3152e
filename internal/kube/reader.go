package kube

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// ErrRunning reports a second Run of a reader.
var ErrRunning = errors.New("the reader has run already")

// The resources that are watched for every cluster.
var (
	scaledObjects = schema.GroupVersionResource{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"}
	autoscalers   = schema.GroupVersionResource{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"}
	podResource   = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
)

// Reader reads Kubernetes. A nil Reader is one of a cluster that is off: it
// knows nothing.
type Reader struct {
	client dynamic.Interface
	log    *slog.Logger
	now    func() time.Time
	life   *life

	objects *informer[scaledObject]
	hpas    *informer[hpa]
	pods    *informer[pod]
	podsRun sync.Once
	counts  *podCounts
	targets *targets

	mu      sync.RWMutex
	records map[objectID]*record
}

// New returns a reader of the API server that cfg names. It sends nothing until
// it runs. Without a config, as [Config] returns it where Kubernetes is off, the
// reader is nil.
func New(cfg *rest.Config, log *slog.Logger, now func() time.Time) (*Reader, error) {
	if cfg == nil {
		return nil, nil
	}
	client, err := dynamic.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("make a client for %q: %w", cfg.Host, err)
	}
	return NewForClient(client, log, now)
}

// NewForClient returns a reader that uses a client made elsewhere.
func NewForClient(client dynamic.Interface, log *slog.Logger, now func() time.Time) (*Reader, error) {
	r := &Reader{
		client: client, log: log, now: now, life: &life{},
		counts: newPodCounts(), records: make(map[objectID]*record),
	}
	r.targets = newTargets(client, log, now, r.life)
	var err error
	if r.objects, err = newInformer(informerConfig[scaledObject]{
		client: client, gvr: scaledObjects, log: log, now: now, strip: stripScaledObject,
	}); err != nil {
		return nil, fmt.Errorf("prepare to watch scaledobjects: %w", err)
	}
	if r.hpas, err = newInformer(informerConfig[hpa]{
		client: client, gvr: autoscalers, log: log, now: now, strip: stripHPA,
		index: cache.Indexers{indexOwner: byOwner},
	}); err != nil {
		return nil, fmt.Errorf("prepare to watch horizontalpodautoscalers: %w", err)
	}
	if r.pods, err = newInformer(informerConfig[pod]{
		client: client, gvr: podResource, log: log, now: now, strip: stripPod,
		changed: r.counts.changed,
	}); err != nil {
		return nil, fmt.Errorf("prepare to watch pods: %w", err)
	}
	return r, nil
}

// Run feeds the reader until ctx ends, and then returns nil. A reader runs once.
func (r *Reader) Run(ctx context.Context) error {
	if r == nil {
		<-ctx.Done()
		return nil
	}
	ctx = withLog(ctx, r.log)
	if !r.life.begin(ctx) {
		return ErrRunning
	}
	r.life.run(r.objects.run)
	r.life.run(r.hpas.run)
	<-ctx.Done()
	r.life.end()
	return nil
}

// needPods starts to watch pods, which many clusters have many of, when first
// asked to.
func (r *Reader) needPods() {
	r.podsRun.Do(func() { r.life.run(r.pods.run) })
}
