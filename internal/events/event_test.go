package events

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
)

func TestNames(t *testing.T) {
	t.Parallel()
	base := Event{Namespace: "shop", Name: "payment", UID: "u-1", Reason: BandChanged, About: "zmy hold scale_up"}
	edits := map[string]func(*Event){
		"another object": func(e *Event) { e.UID = "u-2" },
		"another reason": func(e *Event) { e.Reason = DataBad },
		"another matter": func(e *Event) { e.About = "zmy hold inactive" },
	}
	for name, edit := range edits {
		other := base
		edit(&other)
		if other.name() == base.name() {
			t.Errorf("%s has the same name, %s", name, base.name())
		}
	}
	same := base
	same.Message, same.At = "other words", time.Now()
	if same.name() != base.name() {
		t.Errorf("the same thing has the names %s and %s", base.name(), same.name())
	}
	for n := 1; n <= maxName; n++ {
		for _, e := range []Event{{Name: strings.Repeat("a", n)}, {Name: strings.Repeat("a-.b", n)[:n-1] + "c"}} {
			if faults := validation.IsDNS1123Subdomain(e.name()); len(validation.IsDNS1123Subdomain(e.Name)) == 0 && len(faults) > 0 {
				t.Errorf("%q: %v", e.name(), faults)
			}
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add("short", 1)
	f.Add("é", maxMessage)
	f.Fuzz(func(t *testing.T, text string, times int) {
		if !utf8.ValidString(text) || len(text) == 0 {
			return
		}
		e := Event{Message: strings.Repeat(text, max(1, min(times, 2*maxMessage/len(text))))}
		got := e.message()
		if len(got) > maxMessage || !utf8.ValidString(got) || strings.Contains(got, "\n") {
			t.Errorf("%d bytes of %q become %d", len(e.Message), text, len(got))
		}
		if whole := strings.ReplaceAll(e.Message, "\n", "; "); len(whole) <= maxMessage && got != whole {
			t.Errorf("%q becomes %q", whole, got)
		}
	})
}

// TestStrangers counts anew where somebody else wrote nonsense into the Event.
func TestStrangers(t *testing.T) {
	t.Parallel()
	e := change(time.Now(), "up")
	for _, old := range []object{
		{},
		{"count": "many", "lastTimestamp": "yesterday"},
		{"count": 7.5, "lastTimestamp": 3.0},
	} {
		u := &unstructured.Unstructured{Object: old}
		if e.counted(u) {
			t.Errorf("%v counts as known", old)
		}
		if n := e.repeat(u)["count"]; n != int64(1) {
			t.Errorf("%v is counted to %v, want 1", old, n)
		}
	}
}

func TestKindsAreWhole(t *testing.T) {
	t.Parallel()
	seen := map[Reason]bool{}
	for _, k := range Kinds() {
		if seen[k.Reason] || k.Meaning == "" || k.Type != normal && k.Type != warning {
			t.Errorf("%+v is incomplete, or there twice", k)
		}
		seen[k.Reason] = true
	}
	for _, r := range Results() {
		if r.Meaning() == "unknown" {
			t.Errorf("%s means nothing", r)
		}
	}
}

// TestHostileCalls sends what no ScaledObject can have. Nothing long is kept.
func TestHostileCalls(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	r := newAPI(t).start(false)
	for _, e := range []Event{
		{Namespace: "shop", Name: long}, {Namespace: long, Name: "payment"}, {Namespace: "shop"}, {Name: "payment"},
	} {
		r.Tell(e)
	}
	if n := r.results[Failed]; n != 4 {
		t.Errorf("%d are refused, want 4", n)
	}
	r.Tell(Event{Namespace: "shop", Name: "payment", Reason: InvalidTrigger, About: long, Message: long})
	e := <-r.queue
	if len(e.Message) > maxMessage || len(e.About) > 16 {
		t.Errorf("a message of %d bytes and a matter of %d are kept", len(e.Message), len(e.About))
	}
}

// TestMemoryIsBounded invents objects and faults, as anybody can who reaches the
// port.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	l := newLimits()
	now := time.Now()
	for i := range 2 * maxObjects {
		l.admit(&Event{Name: fmt.Sprint(i), Reason: InvalidTrigger}, now)
	}
	if n := l.objects.Len(); n != maxObjects {
		t.Errorf("%d objects are remembered, want %d", n, maxObjects)
	}
	for i := range 10_000 {
		now = now.Add(time.Second)
		l.admit(&Event{Name: "one", Reason: InvalidTrigger, About: fmt.Sprint(i)}, now)
	}
	if n, most := len(l.of(objectID{name: "one"}).told), burst+int(again/refill)+1; n > most {
		t.Errorf("%d states of one object are remembered, want %d at most", n, most)
	}
}
