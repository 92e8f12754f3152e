package incluster

import (
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/registry"
)

// TestPublish sees that an image goes to a registry when it has no archive, and
// nowhere else when it has one.
func TestPublish(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo))))
	defer server.Close()
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(server.URL, "http://")
	pushed := KitOptions{Dir: dir, Registry: host + "/team"}.image("actor", "1")
	if err := publish(pushed, program, "actor"); err != nil {
		t.Fatal(err)
	}
	if config, err := crane.Config(host + "/team/actor:1"); err != nil || !strings.Contains(string(config), `"Entrypoint":["/actor"]`) {
		t.Errorf("the registry has %s, %v", config, err)
	}
	kept := KitOptions{Dir: dir}.image("actor", "1")
	if err := publish(kept, program, "actor"); err != nil {
		t.Fatal(err)
	}
	image, err := crane.Load(kept.Archive)
	if err != nil {
		t.Fatal(err)
	}
	if layers, err := image.Layers(); err != nil || len(layers) != 1 {
		t.Errorf("the archive has %d layers, %v", len(layers), err)
	}
}
