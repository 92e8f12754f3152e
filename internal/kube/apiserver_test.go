package kube

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// object is an object as JSON has it.
type object = map[string]any

// request is what the API server was asked.
type request struct {
	verb, group, resource, namespace, name string
	limit, cont, version                   string
	streamed                               bool
}

// event is one change of an object.
type event struct {
	version int
	path    string
	kind    string
	object  object
}

// apiServer is a small API server: it lists in pages, watches and gets, over
// HTTP and connections in memory.
type apiServer struct {
	conns  chan net.Conn
	closed chan struct{}

	mu       sync.Mutex
	version  int
	oldest   int
	objects  map[string]map[string]object
	history  []event
	changed  chan struct{}
	requests []request
	// refuse answers a resource with a status, hang does not answer at all.
	refuse map[string]int
	hang   map[string]bool
	down   bool
	muted  string
	until  int
	open   map[net.Conn]bool
}

func newAPIServer(t testing.TB) *apiServer {
	t.Helper()
	s := &apiServer{
		conns: make(chan net.Conn), closed: make(chan struct{}), version: 100,
		objects: map[string]map[string]object{}, changed: make(chan struct{}),
		refuse: map[string]int{}, hang: map[string]bool{}, open: map[net.Conn]bool{},
	}
	server := &http.Server{Handler: s}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(s)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return s
}

// set makes the server misbehave, or behave again.
func (s *apiServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// put adds or replaces an object of a resource such as "apps/v1/deployments".
func (s *apiServer) put(path string, o object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o = clone(o)
	meta := o["metadata"].(object)
	key := fmt.Sprint(meta["namespace"], "/", meta["name"])
	s.version++
	meta["resourceVersion"] = strconv.Itoa(s.version)
	kind := "ADDED"
	if _, ok := s.objects[path][key]; ok {
		kind = "MODIFIED"
	}
	if s.objects[path] == nil {
		s.objects[path] = map[string]object{}
	}
	s.objects[path][key] = o
	s.tell(event{version: s.version, path: path, kind: kind, object: o})
}

// delete deletes an object.
func (s *apiServer) delete(path, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := clone(s.objects[path][key])
	delete(s.objects[path], key)
	s.version++
	o["metadata"].(object)["resourceVersion"] = strconv.Itoa(s.version)
	s.tell(event{version: s.version, path: path, kind: "DELETED", object: o})
}

// mute makes the watches of a resource late: they tell of nothing that happens
// from now on, until told to catch up.
func (s *apiServer) mute(path string) {
	s.set(func() { s.muted, s.until = path, s.version })
}

// catchUp lets a late watch tell of one event more, or of all.
func (s *apiServer) catchUp(all bool) {
	s.set(func() {
		s.until++
		if all {
			s.muted = ""
		}
		s.wake()
	})
}

// wake wakes all watches. The caller holds the lock.
func (s *apiServer) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// expire forgets all history, so that no watch can resume.
func (s *apiServer) expire() {
	s.set(func() {
		s.version++
		s.oldest = s.version
		s.history = nil
	})
}

func (s *apiServer) tell(e event) {
	s.history = append(s.history, e)
	s.wake()
}

// asked returns the requests so far that satisfy a condition.
func (s *apiServer) asked(want func(request) bool) []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []request
	for _, r := range s.requests {
		if want(r) {
			out = append(out, r)
		}
	}
	return out
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, path := parse(r)
	s.mu.Lock()
	s.requests = append(s.requests, req)
	status, hang := s.refuse[req.resource], s.hang[req.resource]
	s.mu.Unlock()
	switch {
	case hang:
		<-r.Context().Done()
	case status != 0:
		fail(w, status)
	case req.verb == "watch":
		s.watch(w, r, path)
	case req.verb == "list":
		s.list(w, r, path)
	default:
		s.get(w, req, path)
	}
}

// parse takes a URL apart: /apis/GROUP/VERSION[/namespaces/NS]/RESOURCE[/NAME[/SUB]].
func parse(r *http.Request) (request, string) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	req := request{
		verb: "list", limit: q.Get("limit"), cont: q.Get("continue"), version: q.Get("resourceVersion"),
		streamed: q.Get("sendInitialEvents") != "",
	}
	if parts[0] == "apis" {
		req.group = parts[1]
		parts = parts[1:]
	}
	version := parts[1]
	parts = parts[2:]
	if parts[0] == "namespaces" && len(parts) > 2 {
		req.namespace = parts[1]
		parts = parts[2:]
	}
	path := strings.TrimPrefix(req.group+"/"+version+"/"+parts[0], "/")
	req.resource = parts[0]
	if len(parts) > 1 {
		req.verb, req.name = "get", parts[1]
	}
	if len(parts) > 2 {
		req.resource += "/" + parts[2]
	}
	if q.Get("watch") == "true" {
		req.verb = "watch"
	}
	return req, path
}

// watch sends what happened since a version, then what happens.
func (s *apiServer) watch(w http.ResponseWriter, r *http.Request, path string) {
	since := number(r, "resourceVersion")
	w.Header().Set("Content-Type", "application/json")
	flush := w.(http.Flusher).Flush
	flush()
	for {
		s.mu.Lock()
		until := s.version
		if s.muted == path {
			until = s.until
		}
		var due []event
		for _, e := range s.history {
			if e.version > since && e.version <= until && e.path == path {
				due = append(due, e)
			}
		}
		expired, changed, down := since < s.oldest, s.changed, s.down
		since = max(since, until)
		s.mu.Unlock()
		if down {
			return
		}
		if expired {
			_ = json.NewEncoder(w).Encode(object{"type": "ERROR", "object": status(http.StatusGone, metav1.StatusReasonExpired)})
			return
		}
		for _, e := range due {
			_ = json.NewEncoder(w).Encode(object{"type": e.kind, "object": e.object})
		}
		flush()
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		}
	}
}

// number returns a number of the query, 0 if there is none.
func number(r *http.Request, key string) int {
	n, err := strconv.Atoi(r.URL.Query().Get(key))
	if err != nil {
		return 0
	}
	return n
}

// list answers in pages.
func (s *apiServer) list(w http.ResponseWriter, r *http.Request, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := slices.Sorted(maps.Keys(s.objects[path]))
	from, limit := number(r, "continue"), number(r, "limit")
	to := len(keys)
	meta := object{"resourceVersion": strconv.Itoa(s.version)}
	if limit > 0 && from+limit < to {
		to = from + limit
		meta["continue"] = strconv.Itoa(to)
	}
	items := []object{}
	for _, key := range keys[from:to] {
		items = append(items, s.objects[path][key])
	}
	reply(w, http.StatusOK, object{"kind": "List", "apiVersion": "v1", "metadata": meta, "items": items})
}

// get answers with an object, or with its scale.
func (s *apiServer) get(w http.ResponseWriter, req request, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[path][req.namespace+"/"+req.name]
	switch {
	case !ok:
		fail(w, http.StatusNotFound)
	case strings.HasSuffix(req.resource, "/scale"):
		reply(w, http.StatusOK, scaleOf(o))
	default:
		reply(w, http.StatusOK, o)
	}
}
