package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// compile builds a program for both platforms and returns the arguments that
// name it.
func compile(t *testing.T) []string {
	t.Helper()
	var args []string
	for _, arch := range []string{"amd64", "arm64"} {
		file := filepath.Join(t.TempDir(), "scaler")
		cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", file, "./testdata/hello")
		cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		args = append(args, "linux/"+arch+"="+file)
	}
	return args
}

func build(t *testing.T, binaries []string) (dir, printed string) {
	t.Helper()
	dir = t.TempDir()
	var out strings.Builder
	args := []string{"-ref", "example.com/scaler:v1", "-version", "v1", "-revision", "abc", "-created", "1700000000", "-out", dir}
	if err := run(append(args, binaries...), &out); err != nil {
		t.Fatal(err)
	}
	return dir, out.String()
}

// TestSameTwice builds everything twice and compares every file.
func TestSameTwice(t *testing.T) {
	t.Parallel()
	first, printed := build(t, compile(t))
	second, again := build(t, compile(t))
	if printed != again || !strings.HasPrefix(printed, "example.com/scaler:v1@sha256:") {
		t.Errorf("%q and %q", printed, again)
	}
	err := filepath.WalkDir(first, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(first, path)
		if err != nil {
			return err
		}
		a, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(filepath.Join(second, name))
		if err == nil && !bytes.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestImage(t *testing.T) {
	t.Parallel()
	dir, _ := build(t, compile(t))
	all, err := layout.ImageIndexFromPath(filepath.Join(dir, "layout"))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(all); err != nil {
		t.Error(err)
	}
	top, err := all.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if name := top.Manifests[0].Annotations["io.containerd.image.name"]; name != "example.com/scaler:v1" {
		t.Errorf("named %q", name)
	}
	index, err := all.ImageIndex(top.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != 2 {
		t.Fatalf("%+v, %v", manifest, err)
	}
	for i, arch := range []string{"amd64", "arm64"} {
		d := manifest.Manifests[i]
		if d.Platform.String() != "linux/"+arch {
			t.Errorf("platform %s, want linux/%s", d.Platform, arch)
		}
		image, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		config, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.Config.User != "65532:65532" || config.Architecture != arch || config.Created.Unix() != 1700000000 {
			t.Errorf("config %+v", config)
		}
		checkLayer(t, image)
	}
}

func checkLayer(t *testing.T, image v1.Image) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	stream, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	content, err := io.ReadAll(stream)
	if err != nil {
		t.Fatal(err)
	}
	// Go's reader does not mind when it is missing; container engines do.
	if end := make([]byte, 1024); len(content)%512 != 0 || !bytes.HasSuffix(content, end) {
		t.Error("the tar has no end")
	}
	var names []string
	for r := tar.NewReader(bytes.NewReader(content)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if h.Uid != 0 || h.Gid != 0 || h.Mode&0o022 != 0 || h.ModTime.Unix() != 1700000000 {
			t.Errorf("%s: %+v", h.Name, h)
		}
		if h.Name == "etc/ssl/certs/ca-certificates.crt" {
			pem, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if pool := x509.NewCertPool(); !pool.AppendCertsFromPEM(pem) || bytes.Count(pem, []byte("BEGIN")) < 50 {
				t.Error("no CA certificates")
			}
		}
	}
	if !slices.Contains(names, "scaler") || !slices.IsSorted(names) {
		t.Errorf("files %q", names)
	}
}

func TestSBOM(t *testing.T) {
	t.Parallel()
	dir, _ := build(t, compile(t))
	content, err := os.ReadFile(filepath.Join(dir, "linux-arm64.spdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc spdxDocument
	if err := json.Unmarshal(content, &doc); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{"SPDXRef-DOCUMENT": true}
	for _, p := range doc.Packages {
		if ids[p.ID] {
			t.Errorf("%s twice", p.ID)
		}
		ids[p.ID] = true
	}
	for _, r := range doc.Relationships {
		if !ids[r.Element] || !ids[r.Related] {
			t.Errorf("relationship between unknown packages: %+v", r)
		}
	}
	if !ids["SPDXRef-scaler"] || !ids["SPDXRef-stdlib"] {
		t.Errorf("packages %v", ids)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	good := compile(t)
	swapped := strings.Replace(good[0], "amd64", "arm64", 1)
	tests := []struct {
		name string
		args []string
		want string
	}{
		{name: "no binary", args: []string{"-ref", "a:b", "-out", "c"}, want: "are needed"},
		{name: "no platform", args: []string{"-ref", "a:b", "-out", "c", "file"}, want: "must be OS/ARCH=FILE"},
		{name: "another platform", args: []string{"-ref", "a:b", "-out", "c", swapped}, want: "was built with GOARCH=amd64"},
		{name: "not from Go", args: []string{"-ref", "a:b", "-out", "c", "linux/amd64=go.mod"}, want: "unrecognized file format"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := run(tt.args, io.Discard); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
