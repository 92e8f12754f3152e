package kube

import (
	"context"
	"sync"
)

// life starts goroutines while the reader runs. What is started before is kept
// until then, what is started after the end finds its context ended.
type life struct {
	mu      sync.Mutex
	ctx     context.Context
	ended   bool
	pending []func(context.Context)
	group   sync.WaitGroup
}

// begin starts what is pending. It returns false when the life had begun before.
func (l *life) begin(ctx context.Context) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx != nil {
		return false
	}
	l.ctx = ctx
	for _, run := range l.pending {
		l.start(run)
	}
	l.pending = nil
	return true
}

// run runs a function in a goroutine until the life ends.
func (l *life) run(run func(context.Context)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ended:
		// Its context has ended: it only tells those who wait for it.
		go run(l.ctx)
	case l.ctx == nil:
		l.pending = append(l.pending, run)
	default:
		l.start(run)
	}
}

// start starts a goroutine. The caller holds the lock.
func (l *life) start(run func(context.Context)) {
	ctx := l.ctx
	l.group.Go(func() { run(ctx) })
}

// end waits for all goroutines. Their context must have ended.
func (l *life) end() {
	l.mu.Lock()
	l.ended = true
	l.mu.Unlock()
	l.group.Wait()
}
