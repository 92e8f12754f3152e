package page_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/infra-arch/zmy-scaler/internal/page"
)

func get(t *testing.T, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	page.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path, contentType string
		code              int
	}{
		{path: "/", contentType: "text/html; charset=utf-8", code: http.StatusOK},
		{path: "/style.css", contentType: "text/css; charset=utf-8", code: http.StatusOK},
		{path: "/app.js", contentType: "text/javascript; charset=utf-8", code: http.StatusOK},
		{path: "/icon.svg", contentType: "image/svg+xml", code: http.StatusOK},
		{path: "/page.go", contentType: "text/plain; charset=utf-8", code: http.StatusNotFound},
	} {
		w := get(t, http.MethodGet, tt.path)
		if w.Code != tt.code || w.Header().Get("Content-Type") != tt.contentType {
			t.Errorf("%s: %d, %q; want %d, %q", tt.path, w.Code, w.Header().Get("Content-Type"), tt.code, tt.contentType)
		}
		if got := w.Header().Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") {
			t.Errorf("%s may load from anywhere: %q", tt.path, got)
		}
	}
}

func TestOnlyRead(t *testing.T) {
	t.Parallel()
	if w := get(t, http.MethodPost, "/"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

// TestNothingFromElsewhere finds what the policy would block, and every file that
// is linked but missing.
func TestNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`(?:src|href)="([^"#]+)"|from '([^']+)'`)
	inline := regexp.MustCompile(`(?i)<style|<script>|\son[a-z]+=|style=`)
	for _, path := range []string{"/", "/app.js", "/list.js", "/detail.js", "/chart.js", "/dom.js"} {
		text := get(t, http.MethodGet, path).Body.String()
		if found := inline.FindString(text); found != "" {
			t.Errorf("%s: %q is inline, which the policy forbids", path, found)
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target := m[1] + m[2]
			if strings.Contains(target, "//") {
				t.Errorf("%s loads %s from elsewhere", path, target)
				continue
			}
			if strings.HasPrefix(target, "api/") {
				continue
			}
			if w := get(t, http.MethodGet, "/"+strings.TrimPrefix(target, "./")); w.Code != http.StatusOK {
				t.Errorf("%s links %s, which is not there", path, target)
			}
		}
	}
}
