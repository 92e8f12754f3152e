package events

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
)

// object is an object as JSON has it.
type object = map[string]any

// api is an API server with ScaledObjects and Events. It is reached without a
// network, so that it lives in a bubble of synctest.
type api struct {
	t *testing.T

	mu        sync.Mutex
	version   int
	uids      map[string]string // of ScaledObjects, by name
	events    map[string]object // by name
	asked     map[string]int    // by method and resource
	hang      bool
	refuse    map[string]int // a status by method and resource
	meanwhile func()         // what others do before the next patch that changes something
}

func newAPI(t *testing.T) *api {
	t.Helper()
	return &api{
		t: t, uids: map[string]string{"payment": "u-1"}, events: map[string]object{},
		asked: map[string]int{}, refuse: map[string]int{},
	}
}

// config returns how to reach the server.
func (a *api) config() *rest.Config {
	return &rest.Config{Host: "http://kubernetes", Transport: a}
}

// RoundTrip answers a request.
func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	hang := a.hang
	a.mu.Unlock()
	if hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w.Result(), nil
}

// ServeHTTP answers a request.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	at := 4 // api/v1/namespaces/NAMESPACE/RESOURCE/NAME
	if parts[0] == "apis" {
		at = 5
	}
	resource, name := parts[at], strings.Join(parts[at+1:], "/")
	what := r.Method + " " + resource
	a.asked[what]++
	switch {
	case a.refuse[what] != 0:
		a.status(w, a.refuse[what])
	case what == "GET scaledobjects" && a.uids[name] == "":
		a.status(w, http.StatusNotFound)
	case what == "GET scaledobjects":
		a.answer(w, object{
			"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
			"metadata": object{"name": name, "namespace": "shop", "uid": a.uids[name]},
		})
	case what == "POST events":
		a.create(w, a.body(r))
	case what == "PATCH events":
		a.patch(w, name, a.body(r))
	default:
		a.t.Errorf("%s %s: nobody should ask for that", r.Method, r.URL)
		a.status(w, http.StatusForbidden)
	}
}

func (a *api) create(w http.ResponseWriter, event object) {
	meta := event["metadata"].(object)
	name := meta["name"].(string)
	if _, ok := a.events[name]; ok {
		a.status(w, http.StatusConflict)
		return
	}
	meta["resourceVersion"] = a.next()
	a.events[name] = event
	a.answer(w, event)
}

// patch merges as the API server does, one level deep, which is what there is.
func (a *api) patch(w http.ResponseWriter, name string, patch object) {
	event, ok := a.events[name]
	if !ok {
		a.status(w, http.StatusNotFound)
		return
	}
	if len(patch) == 0 {
		a.answer(w, event)
		return
	}
	if a.meanwhile != nil {
		a.meanwhile()
		a.meanwhile = nil
	}
	meta := event["metadata"].(object)
	if patch["metadata"].(object)["resourceVersion"] != meta["resourceVersion"] {
		a.conflict(w)
		return
	}
	for k, v := range patch {
		if k != "metadata" {
			event[k] = v
		}
	}
	meta["resourceVersion"] = a.next()
	a.answer(w, event)
}

func (a *api) next() string {
	a.version++
	return strconv.Itoa(a.version)
}

func (a *api) body(r *http.Request) object {
	var o object
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
		a.t.Error(err)
	}
	return o
}

func (a *api) answer(w http.ResponseWriter, o object) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(o); err != nil {
		a.t.Error(err)
	}
}

// status answers with an error; a conflict is one about a name that is taken.
func (a *api) status(w http.ResponseWriter, code int) {
	reasons := map[int]string{
		http.StatusNotFound: "NotFound", http.StatusForbidden: "Forbidden", http.StatusConflict: "AlreadyExists",
		http.StatusInternalServerError: "InternalError",
	}
	a.fail(w, code, reasons[code])
}

func (a *api) conflict(w http.ResponseWriter) { a.fail(w, http.StatusConflict, "Conflict") }

func (a *api) fail(w http.ResponseWriter, code int, reason string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	status := object{"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason}
	if err := json.NewEncoder(w).Encode(status); err != nil {
		a.t.Error(err)
	}
}

// all returns the Events there are.
func (a *api) all() []object {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []object
	for _, e := range a.events {
		all = append(all, e)
	}
	return all
}

// only returns the one Event there is.
func (a *api) only() object {
	a.t.Helper()
	all := a.all()
	if len(all) != 1 {
		a.t.Fatalf("there are %d Events, want 1: %v", len(all), all)
	}
	return all[0]
}

// set changes how the server behaves.
func (a *api) set(change func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change()
}
