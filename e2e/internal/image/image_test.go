package image

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestWrite reads back what was written.
func TestWrite(t *testing.T) {
	program := filepath.Join(t.TempDir(), "built-1234")
	if err := os.WriteFile(program, []byte("a program"), 0o600); err != nil {
		t.Fatal(err)
	}
	const ref = "example.com/some/program:1"
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := Write(archive, ref, program, "program"); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(ref)
	if err != nil {
		t.Fatal(err)
	}
	image, err := tarball.ImageFromPath(archive, &tag)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(image); err != nil {
		t.Error(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if c := config.Config; len(c.Entrypoint) != 1 || c.Entrypoint[0] != "/program" || c.User != nobody || config.OS != "linux" {
		t.Errorf("config %+v", config)
	}
	files := mutate.Extract(image)
	defer files.Close()
	reader := tar.NewReader(files)
	header, err := reader.Next()
	if err != nil || header.Name != "program" || header.Mode&0o111 != 0o111 {
		t.Fatalf("%+v, %v", header, err)
	}
	if content, err := io.ReadAll(reader); err != nil || string(content) != "a program" {
		t.Errorf("%q, %v", content, err)
	}
	if header, err := reader.Next(); err != io.EOF {
		t.Errorf("there is more: %+v, %v", header, err)
	}
}

func TestWriteRefuses(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := Write(archive, "a:1", "/there/is/none", "program"); err == nil {
		t.Error("no program, and no error")
	}
	if err := Write(archive, "not a name", os.Args[0], "program"); err == nil {
		t.Error("no name, and no error")
	}
}
