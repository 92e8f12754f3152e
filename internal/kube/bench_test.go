package kube

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func encode(t testing.TB, o object) []byte {
	t.Helper()
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// warm runs a reader over a fleet of pods, with an HPA.
func warm(t testing.TB) *Reader {
	t.Helper()
	api := newAPIServer(t)
	api.fleet(100)
	api.put(pathHPAs, newHPA("keda-hpa-worker", time.Time{}))
	r := api.start(t)
	if got := look(t, r); got.Fleet.Ready.N != 100 {
		t.Fatalf("not warm: %+v", got)
	}
	return r
}

// TestLookAllocates keeps the answer from memory cheap.
func TestLookAllocates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := warm(t)
		ctx, metadata := t.Context(), ours()
		if n := testing.AllocsPerRun(100, func() { r.Look(ctx, "shop", "worker", metadata) }); n > 2 {
			t.Errorf("%v allocations", n)
		}
	})
}

// BenchmarkLook answers from memory.
func BenchmarkLook(b *testing.B) {
	r := warm(b)
	ctx, metadata := b.Context(), ours()
	b.ReportAllocs()
	for b.Loop() {
		r.Look(ctx, "shop", "worker", metadata)
	}
}

// BenchmarkPodEvent takes in a pod's change in a namespace of 1,000 fleets.
func BenchmarkPodEvent(b *testing.B) {
	c := newPodCounts()
	for i := range 1000 {
		app := fmt.Sprint("fleet-", i)
		e := stripWorkload(decoded(b, with(newWorkload("Deployment", 1, 1), "spec.selector.matchLabels.app", app)))
		c.acquire("shop", &e.value)
		for p := range 10 {
			c.changed(nil, stripPod(decoded(b, newPod(fmt.Sprint(app, "-", p), app, "Running", "True"))))
		}
	}
	up := stripPod(decoded(b, newPod("fleet-7-3", "fleet-7", "Running", "True")))
	down := stripPod(decoded(b, newPod("fleet-7-3", "fleet-7", "Running", "False")))
	b.ReportAllocs()
	for b.Loop() {
		c.changed(up, down)
		c.changed(down, up)
	}
}

func decoded(t testing.TB, o object) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(encode(t, o)); err != nil {
		t.Fatal(err)
	}
	return u
}
