package kube

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

const (
	// pollEvery is how often a scale subresource is asked for at least, and
	// pollGap how long a change waits for others to join it.
	pollEvery = 15 * time.Second
	pollGap   = time.Second
	// getTimeout bounds one GET.
	getTimeout = 5 * time.Second
)

// targetID names a scale target.
type targetID struct {
	gvr       schema.GroupVersionResource
	namespace string
	name      string
}

// poller keeps the answer of one target's scale subresource.
type poller struct {
	id     targetID
	client dynamic.Interface
	health *health
	now    func() time.Time

	// kick asks for a refresh, stop ends the poller.
	kick chan struct{}
	stop chan struct{}
	// settled is closed once the first GET is over, however it went.
	settled chan struct{}
	refs    int

	// podVersion is the version of the pods that was told last.
	podVersion atomic.Int64

	mu   sync.Mutex
	last *scale
	at   time.Time
}

func newPoller(id targetID, client dynamic.Interface, h *health, now func() time.Time) *poller {
	return &poller{
		id: id, client: client, health: h, now: now,
		kick:    make(chan struct{}, 1),
		stop:    make(chan struct{}),
		settled: make(chan struct{}),
	}
}

// refresh asks for a refresh soon.
func (p *poller) refresh() {
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// pods asks for a refresh when pods have come or gone. An old count of replicas
// beside a new one of ready pods would mean something else.
func (p *poller) pods(version int64) {
	if p.podVersion.Swap(version) != version {
		p.refresh()
	}
}

// run polls until ctx ends or the poller is stopped.
func (p *poller) run(ctx context.Context) {
	p.poll(ctx)
	close(p.settled)
	for p.pause(ctx, pollGap, nil) && p.pause(ctx, pollEvery-pollGap, p.kick) {
		p.poll(ctx)
	}
}

// pause waits, or until woken. It returns false when the poller is to end.
func (p *poller) pause(ctx context.Context, d time.Duration, woken <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-woken:
	case <-p.stop:
		return false
	case <-ctx.Done():
		return false
	}
	return true
}

// poll asks once.
func (p *poller) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, getTimeout)
	defer cancel()
	got, err := p.client.Resource(p.id.gvr).Namespace(p.id.namespace).Get(ctx, p.id.name, metav1.GetOptions{}, "scale")
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		s := readScale(got)
		p.last, p.at = &s, p.now()
		p.health.ok()
	case apierrors.IsNotFound(err):
		// The target is gone, and its counts with it.
		p.last = nil
		p.health.failed(err)
	default:
		p.health.failed(err)
	}
}

// wait waits for the first answer.
func (p *poller) wait(ctx context.Context) {
	if !closed(p.settled) {
		select {
		case <-p.settled:
		case <-ctx.Done():
		}
	}
}

// read returns the newest answer, nil when there is none that is fresh.
func (p *poller) read(now time.Time) *scale {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil || now.Sub(p.at) > staleAfter {
		return nil
	}
	return p.last
}
