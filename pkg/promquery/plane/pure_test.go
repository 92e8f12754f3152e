package plane

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// TestSharedErrors: who is not at fault does not read what a server said of the query
// of another.
func TestSharedErrors(t *testing.T) {
	t.Parallel()
	said := &promquery.Error{Kind: promquery.KindExecution, Source: "default", Status: 422, Err: errors.New(`duplicate series {namespace="bank"}`)}
	gone := &promquery.Error{Kind: promquery.KindUnreachable, Source: "default", Err: errors.New("connection refused")}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&SharedError{Members: 3, Err: said}, `asked together with 2 others, of which any may be at fault: source "default": execution`},
		{&SharedError{Members: 3, Err: gone}, `asked together with 2 others, of which any may be at fault: source "default": unreachable: connection refused`},
		{&DownError{Since: time.Unix(0, 0), Err: said}, `not asked, since nothing was answered since 1970-01-01T00:00:00Z: source "default": execution`},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%s\nwant %s", got, tt.want)
		}
	}
}

// TestInTurn: probes go to each namespace in turn, and to each of its asks.
func TestInTurn(t *testing.T) {
	t.Parallel()
	var asks []Ask
	for i := range 6 {
		asks = append(asks, Ask{Namespace: map[bool]string{true: "b", false: "a"}[i < 4], Step: time.Duration(i)})
	}
	var got []int
	for n := range 10 {
		got = append(got, int(inTurn(asks, n).Step))
	}
	if want := []int{4, 0, 5, 1, 4, 2, 5, 3, 4, 0}; !slices.Equal(got, want) {
		t.Errorf("in the order %v, want %v", got, want)
	}
}

// TestBreaker walks the breaker through an outage, step by step.
func TestBreaker(t *testing.T) {
	t.Parallel()
	const interval = 15 * time.Second
	start := time.Unix(1_700_000_000, 0)
	var b breaker
	expect := func(at time.Duration, want gate) {
		t.Helper()
		if got := b.ask(start.Add(at), interval); got != want {
			t.Errorf("after %v: gate %d, want %d", at, got, want)
		}
	}
	boom := errors.New("boom")
	for range doubtAfter - 1 {
		b.failed(start, boom)
	}
	expect(0, pass)
	b.succeeded()
	for range doubtAfter - 1 {
		b.failed(start.Add(time.Second), boom)
	}
	expect(time.Second, pass)
	b.failed(start.Add(2*time.Second), boom)
	expect(2*time.Second, probe)
	expect(2*time.Second, wait)
	b.probed()
	expect(3*time.Second, refuse)
	if down, ok := errors.AsType[*DownError](b.error()); !ok || !down.Since.Equal(start.Add(time.Second)) || !errors.Is(down, boom) {
		t.Errorf("%v", b.error())
	}
	expect(17*time.Second, probe)
	b.probed()
	expect(30*time.Second, refuse)
	expect(32*time.Second, probe)
	b.succeeded()
	b.probed()
	expect(32*time.Second, pass)
	if b.error() != nil {
		t.Errorf("closed, and yet %v", b.error())
	}
}

// TestFair has owners with jobs of random lengths share eight slots. As long as
// two of them have jobs left, neither gets much more of the time than the other.
func TestFair(t *testing.T) {
	t.Parallel()
	type running struct {
		owner      string
		began, end time.Time
	}
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		var f fair
		jobs, longest := 0, time.Duration(0)
		for i := range 2 + random.IntN(5) {
			length := time.Duration(1+random.IntN(3000)) * time.Millisecond
			longest = max(longest, length)
			for range 1 + random.IntN(300) {
				f.push(fmt.Sprint(i), &job{class: owned, owner: fmt.Sprint(i), span: span{step: length}})
				jobs++
			}
		}
		now := time.Unix(0, 0)
		var slots []running
		for jobs > 0 {
			for len(slots) < 8 {
				j := f.pop(now)
				if j == nil {
					break
				}
				jobs--
				slots = append(slots, running{j.owner, now, now.Add(j.span.step)})
			}
			least, most := time.Duration(1<<62), time.Duration(0)
			for _, a := range f.owners {
				if len(a.jobs) > 0 {
					least, most = min(least, a.time(now)), max(most, a.time(now))
				}
			}
			if most-least > 8*longest {
				t.Fatalf("seed %d: one owner has had %v, another %v", seed, most, least)
			}
			next := 0
			for i := range slots {
				if slots[i].end.Before(slots[next].end) {
					next = i
				}
			}
			now = slots[next].end
			f.done(slots[next].owner, slots[next].began, now)
			slots = append(slots[:next], slots[next+1:]...)
		}
		if f.left != 0 {
			t.Errorf("seed %d: %d jobs are left", seed, f.left)
		}
	}
}

// TestAppetite: it shrinks at once, never grows by shrinking, and grows back.
func TestAppetite(t *testing.T) {
	t.Parallel()
	const interval = 15 * time.Second
	now := time.Unix(0, 0)
	var a appetite
	if n := a.limit(250, now); n != 250 {
		t.Errorf("at first %d", n)
	}
	a.shrink(16, now, interval)
	a.shrink(64, now, interval)
	if n := a.limit(250, now); n != 16 {
		t.Errorf("shrunk to %d, want 16", n)
	}
	if n := a.limit(250, now.Add(minFast*interval)); n != 32 {
		t.Errorf("grown to %d, want 32", n)
	}
	a.shrink(0, now.Add(minFast*interval), interval)
	if n := a.limit(250, now.Add(2*minFast*interval)); n != 1 {
		t.Errorf("%d, want 1 for longer than the last time", n)
	}
	for range 20 {
		now = now.Add(2 * minFast * interval)
		a.limit(250, now)
	}
	if n := a.limit(250, now); n != 250 {
		t.Errorf("at last %d", n)
	}
}
