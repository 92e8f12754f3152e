package engine

import (
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/internal/kube"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

func TestUnseen(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_700_000_000, 0)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	hpa := func(lastScale time.Time) kube.View {
		return kube.View{UID: "a", HPA: "keda-hpa-a", LastScale: lastScale, Fleet: decision.Fleet{Ready: decision.Known(3)}}
	}
	none := kube.View{UID: "a", Fleet: decision.Fleet{Ready: decision.Known(3)}}
	uncounted := hpa(at(-time.Minute))
	uncounted.Fleet.Ready = decision.Count{}
	anew := hpa(at(time.Minute))
	anew.UID = "b"
	tests := []struct {
		name string
		// looks are a minute apart.
		looks []kube.View
		want  time.Time
	}{
		{name: "before the first look", looks: []kube.View{hpa(at(-time.Minute))}, want: at(-time.Minute)},
		{name: "again after it", looks: []kube.View{hpa(at(-time.Minute)), hpa(at(30 * time.Second))}, want: at(-time.Minute)},
		{name: "by a clock ahead of ours", looks: []kube.View{hpa(at(2 * time.Second))}, want: at(2 * time.Second)},
		{name: "never, then after it", looks: []kube.View{hpa(time.Time{}), hpa(at(30 * time.Second))}},
		{name: "no HPA", looks: []kube.View{none, none}},
		{name: "seen late, scaled before", looks: []kube.View{none, hpa(at(-time.Minute))}, want: at(-time.Minute)},
		{name: "seen late, scaled after", looks: []kube.View{none, hpa(at(30 * time.Second))}},
		{name: "scaled before the workers were counted", looks: []kube.View{uncounted, hpa(at(30 * time.Second))}, want: at(30 * time.Second)},
		{name: "no object in between", looks: []kube.View{hpa(at(-time.Minute)), {}}, want: at(-time.Minute)},
		{name: "an object made anew", looks: []kube.View{hpa(at(-time.Minute)), anew}, want: at(time.Minute)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var u unseen
			var got time.Time
			for i, v := range tt.looks {
				got = u.look(v, at(time.Duration(i)*time.Minute))
			}
			if !got.Equal(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
