package kube

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// TestRecreated deletes a ScaledObject and makes it anew.
func TestRecreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		api := newAPIServer(t)
		api.fleet(3)
		api.put(pathHPAs, newHPA("keda-hpa-worker", start.Add(-time.Minute)))
		r := api.start(t)
		same(t, "last scale", start.Add(-time.Minute).UTC(), look(t, r).LastScale)

		elapse(time.Hour)
		api.delete(pathObjects, "shop/worker")
		api.put(pathObjects, with(newScaledObject(), "metadata.uid", "uid-2"))
		api.put(pathHPAs, newHPA("keda-hpa-worker", start.Add(30*time.Minute)))
		synctest.Wait()
		got := look(t, r)
		same(t, "uid", "uid-2", got.UID)
		same(t, "last scale", start.Add(30*time.Minute).UTC(), got.LastScale)
	})
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.rollout()
		r := api.start(t)
		look(t, r)
		elapse(time.Minute)
		r.Forget("shop", "worker")
		r.Forget("shop", "worker")
		r.Forget("shop", "nobody")
		same(t, "records", 0, len(r.records))
		same(t, "pollers", 0, len(r.targets.pollers))
		same(t, "counters", 0, len(r.counts.namespaces["shop"].counters))

		// Nothing is asked any more for an object that nobody asks about.
		synctest.Wait()
		before := len(api.asked(isScale))
		elapse(time.Minute)
		same(t, "requests", before, len(api.asked(isScale)))

		got := look(t, r)
		same(t, "ready", decision.Known(3), got.Fleet.Ready)
	})
}

// TestForgetWhileLooking forgets an object over and over while it is looked at.
func TestForgetWhileLooking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.rollout()
		r := api.start(t)
		look(t, r)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 50 {
					if got := look(t, r); !got.Found {
						t.Error("not found")
					}
				}
			})
		}
		group.Go(func() {
			for range 200 {
				r.Forget("shop", "worker")
			}
		})
		group.Wait()
		r.Forget("shop", "worker")
		same(t, "records", 0, len(r.records))
		same(t, "pollers", 0, len(r.targets.pollers))
		same(t, "counters", 0, len(r.counts.namespaces["shop"].counters))
	})
}

func isLive(q request) bool { return q.verb == "get" && q.resource == "scaledobjects" }

// TestLive edits a trigger while the watch is late.
func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		edited := plus(ours(), map[string]string{"source": "eu"})
		api := newAPIServer(t)
		api.fleet(3)
		r := api.start(t)
		look(t, r)
		same(t, "requests while the cache knows", 0, len(api.asked(isLive)))

		api.mute(pathObjects)
		api.put(pathObjects, newScaledObject(external("Value", map[string]string{"zmyQuery": "half"})))
		api.put(pathObjects, newScaledObject(external("AverageValue", edited)))
		var group sync.WaitGroup
		for range 5 {
			group.Go(func() {
				got := r.Look(t.Context(), "shop", "worker", edited)
				same(t, "metric type known", true, got.MetricTypeKnown)
				same(t, "metric type", decision.AverageValue, got.MetricType)
			})
		}
		group.Wait()
		same(t, "requests for five questions", 1, len(api.asked(isLive)))

		// The watch comes nearer, but the answer is still the newer one.
		api.catchUp(false)
		synctest.Wait()
		got := r.Look(t.Context(), "shop", "worker", edited)
		same(t, "metric type known", true, got.MetricTypeKnown)
		same(t, "metric type", decision.AverageValue, got.MetricType)

		// The watch catches up: the cache has a newer object than the answer.
		api.put(pathObjects, newScaledObject(external("Value", edited)))
		api.catchUp(true)
		synctest.Wait()
		same(t, "metric type", decision.Value, r.Look(t.Context(), "shop", "worker", edited).MetricType)
		same(t, "requests in all", 1, len(api.asked(isLive)))
	})
}

// TestLiveIsRare asks for an object that tells nothing new less and less often.
func TestLiveIsRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.fleet(3)
		r := api.start(t)
		ask := func() { r.Look(t.Context(), "shop", "worker", map[string]string{"zmyQuery": "none"}) }
		ask()
		ask()
		same(t, "requests at once", 1, len(api.asked(isLive)))
		for range 3600 {
			elapse(time.Second)
			ask()
		}
		if n := len(api.asked(isLive)); n < 12 || n > 20 {
			t.Errorf("%d requests in an hour", n)
		}
		// A change is a reason to ask again.
		before := len(api.asked(isLive))
		api.put(pathObjects, newScaledObject(external("AverageValue", ours())))
		elapse(liveRarely)
		ask()
		elapse(liveEvery)
		api.put(pathObjects, newScaledObject())
		synctest.Wait()
		ask()
		same(t, "requests after a change", 2, len(api.asked(isLive))-before)
	})
}

// TestLiveNew finds an object before its watch tells of it, whoever asked before and
// could not wait, and believes the cache when the watch never tells.
func TestLiveNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		r := api.start(t)
		same(t, "found", false, look(t, r).Found)
		api.mute(pathObjects)
		api.fleet(3)
		elapse(liveEvery)
		hurried, cancel := context.WithCancel(t.Context())
		cancel()
		same(t, "found without waiting", false, r.Look(hurried, "shop", "worker", ours()).Found)
		same(t, "found", true, look(t, r).Found)
		api.delete(pathObjects, "shop/worker")
		elapse(liveFor + time.Second)
		got := look(t, r)
		same(t, "found when it is gone", false, got.Found)
		same(t, "known", true, got.Known)
	})
}

// TestLiveFails answers without when the object cannot be had.
func TestLiveFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPIServer(t)
		api.fleet(3)
		r := api.start(t)
		look(t, r)
		other := map[string]string{"zmyQuery": "other"}
		api.set(func() { api.hang["scaledobjects"] = true })
		start := time.Now()
		got := r.Look(t.Context(), "shop", "worker", other)
		same(t, "wait", liveTimeout, time.Since(start))
		same(t, "found", true, got.Found)
		same(t, "metric type known", false, got.MetricTypeKnown)

		// A second caller waits for the answer that is under way, not longer
		// than it can.
		elapse(2 * liveEvery)
		go r.Look(t.Context(), "shop", "worker", other)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		r.Look(ctx, "shop", "worker", other)
		same(t, "wait for another's answer", time.Second, time.Since(start))
		api.set(func() { clear(api.hang) })
		elapse(liveTimeout)

		api.set(func() { api.refuse["scaledobjects"] = http.StatusForbidden })
		elapse(time.Minute)
		same(t, "found", true, r.Look(t.Context(), "shop", "worker", other).Found)

		// Nor is it known that there is none, when only the watch says so.
		nobody := func() View { return r.Look(t.Context(), "shop", "nobody", other) }
		same(t, "known", false, nobody().Known)
		api.set(func() { clear(api.refuse) })
		elapse(time.Minute)
		same(t, "known", true, nobody().Known)
		api.set(func() { api.refuse["scaledobjects"] = http.StatusForbidden })
		elapse(time.Minute)
		same(t, "known when it is not said again", true, nobody().Known)
	})
}

func TestNewer(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{name: "newer", a: "11", b: "9", want: true},
		{name: "older", a: "9", b: "11"},
		{name: "same", a: "9", b: "9"},
		{name: "of one length", a: "12", b: "11", want: true},
	} {
		t.Run(c.name, func(t *testing.T) { same(t, "newer", c.want, newer(c.a, c.b)) })
	}
}
