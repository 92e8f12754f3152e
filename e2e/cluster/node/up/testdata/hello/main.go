// Hello tells who it is, under /, and what somebody else told it, under /ask/HOST.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, os.Getenv("HOSTNAME"))
	})
	http.HandleFunc("GET /ask/{host}", func(w http.ResponseWriter, r *http.Request) {
		response, err := http.Get("http://" + r.PathValue("host"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer response.Body.Close()
		_, _ = io.Copy(w, response.Body)
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(":8080", nil))
	os.Exit(1)
}
