package kube

import (
	"os/exec"
	"strings"
	"testing"
)

// TestNoTypedClient keeps the typed API of Kubernetes, which would double the
// size of the binary, out of what is linked.
func TestNoTypedClient(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "k8s.io/api/") || strings.HasPrefix(line, "github.com/kedacore/") {
			t.Errorf("links %s", line)
		}
	}
}
