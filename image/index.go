package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nobody is the user and the group that the scaler runs as. The name stands in
// the image's passwd, the number in its configuration, so that a kubelet can tell
// that it is not root.
const nobody = "65532"

// file is one entry of the layer.
type file struct {
	name    string
	mode    int64
	content []byte
}

// newIndex makes an image for each binary, and the index of all.
func newIndex(o options) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, b := range o.binaries {
		image, err := newImage(o, b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.platform, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &b.platform},
		})
	}
	annotated, ok := mutate.Annotations(index, labels(o)).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("the index cannot be annotated")
	}
	return annotated, nil
}

func newImage(o options, b binary) (v1.Image, error) {
	content, err := layer(o.created, b.content)
	if err != nil {
		return nil, err
	}
	packed, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		tarball.WithMediaType(types.OCILayer),
	)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{
		Layer:   packed,
		History: v1.History{Created: v1.Time{Time: o.created}, CreatedBy: "zmy-scaler's image builder"},
	})
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, configFile(o, b, image))
}

func configFile(o options, b binary, image v1.Image) *v1.ConfigFile {
	var old v1.ConfigFile
	if c, err := image.ConfigFile(); err == nil {
		old = *c
	}
	return &v1.ConfigFile{
		Architecture: b.platform.Architecture, OS: b.platform.OS,
		Created: v1.Time{Time: o.created},
		RootFS:  old.RootFS, History: old.History,
		Config: v1.Config{
			Entrypoint: []string{"/scaler"}, Cmd: []string{"serve"},
			User: nobody + ":" + nobody, WorkingDir: "/",
			ExposedPorts: map[string]struct{}{"6000/tcp": {}, "8080/tcp": {}},
			Labels:       labels(o),
		},
	}
}

func labels(o options) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":    "zmy-scaler",
		"org.opencontainers.image.source":   "https://github.com/infra-arch/zmy-scaler",
		"org.opencontainers.image.licenses": "Apache-2.0",
		"org.opencontainers.image.version":  o.version,
		"org.opencontainers.image.revision": o.revision,
		"org.opencontainers.image.created":  o.created.Format(time.RFC3339),
	}
}

// layer returns a tar with everything that is in the image, in the order of the
// names, all of it root's and of one time.
func layer(created time.Time, scaler []byte) ([]byte, error) {
	files := []file{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, content: []byte("root:x:0:\nscaler:x:" + nobody + ":\n")},
		{name: "etc/passwd", mode: 0o644, content: []byte("root:x:0:0:root:/:/sbin/nologin\nscaler:x:" + nobody + ":" + nobody + ":scaler:/:/sbin/nologin\n")},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: roots()},
		{name: "scaler", mode: 0o755, content: scaler},
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, Size: int64(len(f.content)),
			ModTime: created, Uname: "root", Gname: "root", Format: tar.FormatPAX,
		}
		if f.content == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	// The end of a tar is written on closing.
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// roots returns the CA certificates, for sources with https. They come from a Go
// module and not from the machine, so that every machine makes the same image. A
// root that is trusted only in part is left out: PEM has no words for that part.
func roots() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return b.Bytes()
}

// writeLayout writes the index as an OCI layout, and as a tar of it that
// container tools import.
func writeLayout(o options, index v1.ImageIndex) error {
	dir := filepath.Join(o.out, "layout")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	// containerd goes by the first, most others by the second.
	names := map[string]string{"io.containerd.image.name": o.ref, "org.opencontainers.image.ref.name": o.ref}
	if err := path.AppendIndex(index, layout.WithAnnotations(names)); err != nil {
		return err
	}
	return pack(dir, filepath.Join(o.out, "zmy-scaler.tar"), o.created)
}

// pack writes a directory as a tar with fixed times and owners.
func pack(dir, to string, created time.Time) (err error) {
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	w := tar.NewWriter(out)
	defer func() {
		for _, c := range []io.Closer{w, out} {
			if cerr := c.Close(); err == nil {
				err = cerr
			}
		}
	}()
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: filepath.ToSlash(name), Mode: 0o644, Size: int64(len(content)), ModTime: created,
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
}
