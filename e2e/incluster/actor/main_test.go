package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// ask returns the code and the text of an answer.
func ask(h http.Handler, method, path, body string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func TestNumbers(t *testing.T) {
	h := handler(time.Now())
	for _, tt := range []struct {
		name, put string
		code      int
		shown     string
	}{
		{"two", `{"zmy{ns=\"a\"}":0.5,"workers{ns=\"a\"}":4}`, 200, "workers{ns=\"a\"} 4\nzmy{ns=\"a\"} 0.5\n"},
		{"one is gone", `{"workers{ns=\"a\"}":3}`, 200, "workers{ns=\"a\"} 3\n"},
		{"no JSON leaves what was there", `{`, 400, "workers{ns=\"a\"} 3\n"},
		{"null leaves what was there", `null`, 400, "workers{ns=\"a\"} 3\n"},
		{"none", `{}`, 200, ""},
	} {
		if code, text := ask(h, http.MethodPut, "/numbers", tt.put); code != tt.code {
			t.Errorf("%s: %d %s, want %d", tt.name, code, text, tt.code)
		}
		if _, shown := ask(h, http.MethodGet, "/metrics", ""); shown != tt.shown {
			t.Errorf("%s: then %q, want %q", tt.name, shown, tt.shown)
		}
	}
}

func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := handler(time.Now().Add(3 * time.Second))
		<-time.After(3*time.Second - 1)
		if code, _ := ask(h, http.MethodGet, "/ready", ""); code != http.StatusServiceUnavailable {
			t.Errorf("%d before the time", code)
		}
		<-time.After(1)
		if code, _ := ask(h, http.MethodGet, "/ready", ""); code != http.StatusOK {
			t.Errorf("%d at the time", code)
		}
	})
}
