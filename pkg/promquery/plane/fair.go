package plane

import (
	"container/heap"
	"slices"
	"time"
)

// fair hands out the jobs of several owners such that none gets more of the
// source's time than another who has jobs left: the next job is that of the owner
// whose requests, under way ones included, have taken the least time. Jobs of
// one owner come in order. It is pure.
type fair struct {
	owners map[string]*account
	idle   accounts   // with jobs, and no request under way
	busy   []*account // with requests under way; few
	left   int        // jobs that were not handed out
}

// account is one owner's.
type account struct {
	owner string
	order int // of appearance, which settles ties
	used  time.Duration
	jobs  []*job
	// began holds when the requests under way began.
	began []time.Time
}

func (f *fair) push(owner string, j *job) {
	a := f.owners[owner]
	if a == nil {
		if f.owners == nil {
			f.owners = map[string]*account{}
		}
		a = &account{owner: owner, order: len(f.owners)}
		f.owners[owner] = a
	}
	a.jobs = append(a.jobs, j)
	f.left++
	if len(a.jobs) == 1 && len(a.began) == 0 {
		heap.Push(&f.idle, a)
	}
}

// pop returns the next job and counts it as under way until it is done. It
// returns nil when there is none.
func (f *fair) pop(now time.Time) *job {
	var next *account
	for _, a := range f.busy {
		if len(a.jobs) > 0 && (next == nil || a.before(next, now)) {
			next = a
		}
	}
	if len(f.idle) > 0 && (next == nil || f.idle[0].before(next, now)) {
		next = heap.Pop(&f.idle).(*account)
		f.busy = append(f.busy, next)
	}
	if next == nil {
		return nil
	}
	j := next.jobs[0]
	next.jobs[0] = nil
	next.jobs = next.jobs[1:]
	next.began = append(next.began, now)
	f.left--
	return j
}

// peek returns one of the jobs that are left, another one for another n. There must
// be one.
func (f *fair) peek(n int) *job {
	var first []*job
	for _, a := range slices.Concat(f.busy, f.idle) {
		if len(a.jobs) > 0 {
			first = append(first, a.jobs[0])
		}
	}
	return first[n%len(first)]
}

// done takes note that a job of the owner that began then has ended.
func (f *fair) done(owner string, began, now time.Time) {
	a := f.owners[owner]
	i := slices.IndexFunc(a.began, began.Equal)
	a.began = slices.Delete(a.began, i, i+1)
	a.used += now.Sub(began)
	if len(a.began) > 0 {
		return
	}
	i = slices.Index(f.busy, a)
	f.busy = slices.Delete(f.busy, i, i+1)
	if len(a.jobs) > 0 {
		heap.Push(&f.idle, a)
	}
}

// drain hands out all jobs that are left, as if none were to be sent.
func (f *fair) drain() []*job {
	var all []*job
	for _, a := range f.owners {
		all = append(all, a.jobs...)
		a.jobs = nil
	}
	f.idle, f.left = nil, 0
	return all
}

// before reports whether a's turn is before b's.
func (a *account) before(b *account, now time.Time) bool {
	if x, y := a.time(now), b.time(now); x != y {
		return x < y
	}
	if len(a.began) != len(b.began) {
		return len(a.began) < len(b.began)
	}
	return a.order < b.order
}

// time is what the requests of the owner have taken until now.
func (a *account) time(now time.Time) time.Duration {
	t := a.used
	for _, began := range a.began {
		t += now.Sub(began)
	}
	return t
}

// accounts is a heap of owners without requests under way.
type accounts []*account

func (h accounts) Len() int           { return len(h) }
func (h accounts) Less(i, j int) bool { return h[i].before(h[j], time.Time{}) }
func (h accounts) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements [heap.Interface].
func (h *accounts) Push(a any) { *h = append(*h, a.(*account)) }

// Pop implements [heap.Interface].
func (h *accounts) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return a
}
