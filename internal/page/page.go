// Package page serves the web page: plain files without a build step, and
// nothing that comes from elsewhere. The page asks the JSON API for everything.
package page

import (
	"embed"
	"net/http"
)

//go:embed *.html *.css *.js *.svg
var files embed.FS

// policy lets the page load and ask its own origin only.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the page below /.
func Handler() http.Handler {
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the page is only read", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		// A new scaler may bring another page.
		h.Set("Cache-Control", "no-cache")
		server.ServeHTTP(w, r)
	})
}
