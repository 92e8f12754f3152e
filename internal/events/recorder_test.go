package events

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/clock"
)

// replica is a recorder that runs.
type replica struct {
	*Recorder

	mu      sync.Mutex
	results map[Result]int
	logs    bytes.Buffer
}

// start runs a recorder until the end of the test; one that does not run only
// takes what it is told.
func (a *api) start(runs bool) *replica {
	a.t.Helper()
	client, err := Client(a.config())
	if err != nil {
		a.t.Fatal(err)
	}
	r := &replica{results: map[Result]int{}}
	r.Recorder = New(Options{
		Client: client, Clock: clock.Real(), Log: slog.New(slog.NewTextHandler(&r.logs, nil)),
		Observe: func(result Result) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.results[result]++
		},
	})
	if !runs {
		return r
	}
	ctx, stop := context.WithCancel(a.t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	a.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			a.t.Error(err)
		}
	})
	return r
}

// became checks what became of everything that was told.
func (r *replica) became(t *testing.T, want map[Result]int) {
	t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if diff := cmp.Diff(want, r.results); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// refusal is a state, and change a moment at an instant of the grid.
func refusal(message string) Event {
	return Event{Namespace: "shop", Name: "payment", Reason: InvalidTrigger, About: message, Message: message, At: time.Now()}
}

func change(at time.Time, message string) Event {
	return Event{
		Namespace: "shop", Name: "payment", UID: "u-1", Reason: BandChanged,
		About: "zmy hold scale_up", Message: message, At: at,
	}
}

func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// TestFirst sees that an Event has all that kubectl describe looks for.
func TestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t)
		r := api.start(true)
		r.Tell(refusal("zmyQuery: is required\ncpuWeight: needs cpuQuery"))
		r.became(t, map[Result]int{Written: 1})
		got := api.only()
		meta := got["metadata"].(object)
		if meta["namespace"] != "shop" || !strings.HasPrefix(meta["name"].(string), "payment.") {
			t.Errorf("it is named %v", meta)
		}
		delete(got, "metadata")
		const now = "2000-01-01T00:00:00Z"
		want := object{
			"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "InvalidTrigger",
			"message": "zmyQuery: is required; cpuWeight: needs cpuQuery",
			"count":   1.0, "firstTimestamp": now, "lastTimestamp": now,
			"source": object{"component": "zmy-scaler"}, "reportingComponent": "zmy-scaler",
			"involvedObject": object{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "namespace": "shop", "name": "payment", "uid": "u-1"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Event (-want +got):\n%s", diff)
		}
	})
}

// TestRepeats counts what happens again on the same Event, with the newest words.
func TestRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t)
		r := api.start(true)
		r.Tell(change(time.Now(), "4 to 8"))
		pass(time.Minute)
		r.Tell(change(time.Now(), "8 to 12"))
		other := change(time.Now(), "back")
		other.About = "zmy scale_up hold"
		r.Tell(other)
		r.became(t, map[Result]int{Written: 3})
		if n := len(api.all()); n != 2 {
			t.Fatalf("there are %d Events, want 2: each change of its own", n)
		}
		for _, e := range api.all() {
			if e["message"] == "back" {
				continue
			}
			if e["count"] != 2.0 || e["message"] != "8 to 12" || e["firstTimestamp"] != "2000-01-01T00:00:00Z" || e["lastTimestamp"] != "2000-01-01T00:01:00Z" {
				t.Errorf("the Event is %v", e)
			}
		}
		if api.asked["GET scaledobjects"] != 0 {
			t.Error("an object whose UID is known was asked for")
		}
	})
}

// TestReplicas lets two scalers see the same things. They are counted once, also
// by one that has just started.
func TestReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t)
		a, b := api.start(true), api.start(true)
		for range 3 {
			tick := time.Now()
			a.Tell(change(tick, "up"))
			pass(2 * time.Second)
			b.Tell(change(tick, "up"))
			pass(time.Minute)
		}
		a.became(t, map[Result]int{Written: 3})
		b.became(t, map[Result]int{Known: 3})
		c := api.start(true)
		c.Tell(change(time.Now(), "up"))
		c.became(t, map[Result]int{Written: 1})
		if e := api.only(); e["count"] != 4.0 {
			t.Errorf("counted %v, want 4", e["count"])
		}
	})
}

// TestAtOnce lets another replica count between the look and the patch.
func TestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t)
		r := api.start(true)
		r.Tell(change(time.Now(), "up"))
		pass(time.Minute)
		event := api.only()
		api.set(func() {
			api.meanwhile = func() { event["count"], event["metadata"].(object)["resourceVersion"] = 2.0, api.next() }
		})
		r.Tell(change(time.Now(), "up"))
		r.became(t, map[Result]int{Written: 1, Known: 1})
		if e := api.only(); e["count"] != 2.0 {
			t.Errorf("counted %v, want 2", e["count"])
		}
	})
}

// TestStatesLast tells a state now and then while it lasts, however often KEDA
// calls and whichever replica it calls.
func TestStatesLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t)
		replicas := []*replica{api.start(true), api.start(true)}
		const lasts = 21 * time.Minute
		for began := time.Now(); time.Since(began) < lasts; {
			for _, r := range replicas {
				r.Tell(refusal("zmyQuery: is required"))
			}
			pass(5 * time.Second)
		}
		// At once and after 5, 10, 15 and 20 minutes.
		if e := api.only(); e["count"] != 5.0 {
			t.Errorf("counted %v in %v, want 5", e["count"], lasts)
		}
		if n := api.asked["POST events"]; n != 10 {
			t.Errorf("wrote %d times, want 5 times for each replica", n)
		}
	})
}

// TestLimits tells of one object as often as is decent, and of others freely.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t)
		api.uids["orders"] = "u-2"
		r := api.start(true)
		for i := range burst + 5 {
			r.Tell(refusal(fmt.Sprintf("fault %d", i)))
		}
		r.became(t, map[Result]int{Written: burst, Limited: 5})
		other := refusal("fault")
		other.Name = "orders"
		r.Tell(other)
		r.became(t, map[Result]int{Written: burst + 1, Limited: 5})
		pass(refill)
		r.Tell(refusal("one more"))
		r.Tell(refusal("and more"))
		r.became(t, map[Result]int{Written: burst + 2, Limited: 6})
	})
}

// TestNeverWaits fills the queue while the API server hangs. Whoever tells goes on
// at once, or the bubble would have let time pass.
func TestNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t)
		api.hang = true
		r := api.start(true)
		began := time.Now()
		const more = 10
		for i := range 1 + queued + more {
			e := change(began, "up")
			e.Name = fmt.Sprintf("w%d", i)
			r.Tell(e)
			synctest.Wait() // the first one is being written
		}
		if time.Since(began) != 0 {
			t.Errorf("telling took %v", time.Since(began))
		}
		r.became(t, map[Result]int{Dropped: more})
		pass(patience)
		r.became(t, map[Result]int{Dropped: more, Failed: 1})
	})
}

// TestFailures counts what cannot be written, and says so now and then.
func TestFailures(t *testing.T) {
	tests := []struct {
		name  string
		event func() Event
		api   func(*api)
		said  string
	}{
		{name: "no such object", event: func() Event { return refusal("x") }, api: func(a *api) { clear(a.uids) }, said: "find the ScaledObject"},
		{name: "no right to look", event: func() Event { return refusal("x") }, api: func(a *api) { a.refuse["GET scaledobjects"] = http.StatusForbidden }, said: "find the ScaledObject"},
		{name: "no right to create", event: func() Event { return change(time.Now(), "x") }, api: func(a *api) { a.refuse["POST events"] = http.StatusForbidden }, said: "Forbidden"},
		{name: "no right to patch", event: func() Event { return change(time.Now(), "x") }, api: func(a *api) {
			a.refuse["POST events"], a.refuse["PATCH events"] = http.StatusConflict, http.StatusForbidden
		}, said: "Forbidden"},
		{name: "an API server in trouble", event: func() Event { return change(time.Now(), "x") }, api: func(a *api) { a.refuse["POST events"] = http.StatusInternalServerError }, said: "InternalError"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := newAPI(t)
				tt.api(api)
				r := api.start(true)
				for range 3 {
					e := tt.event()
					e.About += time.Now().String()
					r.Tell(e)
					pass(logEvery / 2)
				}
				r.became(t, map[Result]int{Failed: 3})
				if n := strings.Count(r.logs.String(), "cannot write an event"); n != 2 {
					t.Errorf("said so %d times in %v, want 2:\n%s", n, logEvery*3/2, &r.logs)
				}
				if !strings.Contains(r.logs.String(), tt.said) {
					t.Errorf("does not say %q:\n%s", tt.said, &r.logs)
				}
			})
		})
	}
}
