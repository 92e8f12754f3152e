package kube

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(file, []byte("a 1\nb 1\na 2\na 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, file, with, want string
		n                      int
	}{
		{"all of it", file, "", "a 1\nb 1\na 2\na 3\n", 4},
		{"the end", file, "", "(2 lines before)\na 2\na 3\n", 2},
		{"what has a text", file, "a", "(1 lines before)\na 2\na 3\n", 2},
		{"nothing has it", file, "c", "\n", 2},
	} {
		if got := Tail(tt.file, tt.n, tt.with); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := Tail(file+".none", 1, ""); !strings.Contains(got, "no such file") {
		t.Errorf("no file: %q", got)
	}
}
