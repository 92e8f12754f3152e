package events

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// component is who tells.
	component = "zmy-scaler"
	// maxMessage bounds a message, in bytes. It has room for many faults.
	maxMessage = 4096
	// maxNamespace and maxName are how long names may be in Kubernetes.
	maxNamespace = 63
	maxName      = 253
)

// Event is something that happened to a ScaledObject.
type Event struct {
	// Namespace and Name are the ScaledObject's.
	Namespace, Name string
	// UID is the ScaledObject's too; it is asked for where it is empty.
	UID types.UID

	Reason Reason
	// About tells events with one reason apart. Equal ones are one Event, with a
	// count and the newest message.
	About string
	// Message is for people.
	Message string
	// At is when it happened: for what all replicas see happen, the same on each.
	At time.Time
}

// nameable reports whether there can be such an object at all.
func (e *Event) nameable() bool {
	return e.Name != "" && len(e.Name) <= maxName && e.Namespace != "" && len(e.Namespace) <= maxNamespace
}

// compact returns the event with everything in it of bounded length: what callers
// send is remembered, and may be long.
func (e Event) compact() Event {
	h := fnv.New64a()
	_, _ = h.Write([]byte(e.About)) // a hash takes everything
	e.About, e.Message = strconv.FormatUint(h.Sum64(), 16), e.message()
	return e
}

// name returns the name of the Event, the same on every replica.
func (e *Event) name() string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s\x00%s\x00%s", e.UID, e.Reason, e.About)
	hash := fmt.Sprintf(".%016x", h.Sum64())
	return strings.TrimRight(e.Name[:min(len(e.Name), maxName-len(hash))], "-.") + hash
}

// message returns the message in one line of bounded length.
func (e *Event) message() string {
	m := strings.ReplaceAll(e.Message, "\n", "; ")
	if len(m) <= maxMessage {
		return m
	}
	const more = " ..."
	end := maxMessage - len(more)
	for !utf8.RuneStart(m[end]) {
		end--
	}
	return m[:end] + more
}

// time returns the instant as Events have it, in whole seconds.
func (e *Event) time() string { return e.At.UTC().Format(time.RFC3339) }

// object returns the Event as it is when it happens for the first time.
func (e *Event) object() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Event",
		"metadata":   map[string]any{"name": e.name(), "namespace": e.Namespace},
		"involvedObject": map[string]any{
			"apiVersion": scaledObjects.GroupVersion().String(), "kind": "ScaledObject",
			"namespace": e.Namespace, "name": e.Name, "uid": string(e.UID),
		},
		"type":               e.Reason.kind().Type,
		"reason":             string(e.Reason),
		"message":            e.Message,
		"count":              int64(1),
		"firstTimestamp":     e.time(),
		"lastTimestamp":      e.time(),
		"source":             map[string]any{"component": component},
		"reportingComponent": component,
	}}
}

// repeat returns what is changed in an Event when it happens again, as a merge
// patch of exactly this version.
func (e *Event) repeat(old *unstructured.Unstructured) map[string]any {
	count, _, err := unstructured.NestedInt64(old.Object, "count")
	if err != nil {
		count = 0 // no number: count anew
	}
	return map[string]any{
		"metadata":      map[string]any{"resourceVersion": old.GetResourceVersion()},
		"count":         count + 1,
		"lastTimestamp": e.time(),
		"message":       e.Message,
	}
}

// counted reports whether an Event has this occurrence, or a state's last one a
// little earlier: another replica was faster.
func (e *Event) counted(old *unstructured.Unstructured) bool {
	text, _, err := unstructured.NestedString(old.Object, "lastTimestamp")
	if err != nil {
		return false
	}
	last, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return false
	}
	if e.Reason.kind().Lasts {
		return e.At.Sub(last) < again/2
	}
	return e.At.Truncate(time.Second).Compare(last) <= 0
}
