// Command image packs binaries of the scaler into one OCI image for several
// platforms, without a container engine: a layer with the binary, the roots that
// Mozilla trusts and a user who is not root. The same binaries give the same
// image, byte by byte. Beside it, it writes an SBOM of each binary.
package main

import (
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// options is what the command line asks for.
type options struct {
	ref, version, revision string
	created                time.Time
	out                    string
	push                   bool
	binaries               []binary
}

// binary is the scaler for one platform.
type binary struct {
	platform v1.Platform
	content  []byte
	info     *buildinfo.BuildInfo
}

func run(args []string, stdout io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	index, err := newIndex(o)
	if err != nil {
		return err
	}
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	if err := writeSBOMs(o); err != nil {
		return err
	}
	if err := writeLayout(o, index); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.out, "digest"), []byte(digest.String()+"\n"), 0o644); err != nil {
		return err
	}
	if o.push {
		ref, err := name.ParseReference(o.ref)
		if err != nil {
			return err
		}
		if err := remote.WriteIndex(ref, index, remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
			return fmt.Errorf("push to %s: %w", o.ref, err)
		}
	}
	_, err = fmt.Fprintf(stdout, "%s@%s\n", o.ref, digest)
	return err
}

func parse(args []string, stdout io.Writer) (options, error) {
	var o options
	var created int64
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.SetOutput(stdout)
	flags.Usage = func() {
		fmt.Fprintln(stdout, "usage: image [flags] OS/ARCH=BINARY...")
		flags.PrintDefaults()
	}
	flags.StringVar(&o.ref, "ref", "", "the image's `name`, with a tag")
	flags.StringVar(&o.version, "version", "", "the scaler's version")
	flags.StringVar(&o.revision, "revision", "", "the commit it was built from")
	flags.Int64Var(&created, "created", 0, "when that was, in `seconds` since 1970: the time of everything in the image")
	flags.StringVar(&o.out, "out", "", "`directory` to write to: an OCI layout, the same as a tar, the digest and the SBOMs")
	flags.BoolVar(&o.push, "push", false, "push the image to where its name says, with the credentials of the container tools")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.created = time.Unix(created, 0).UTC()
	if o.ref == "" || o.out == "" || flags.NArg() == 0 {
		return o, errors.New("-ref, -out and a binary are needed")
	}
	for _, arg := range flags.Args() {
		b, err := readBinary(arg)
		if err != nil {
			return o, err
		}
		o.binaries = append(o.binaries, b)
	}
	return o, nil
}

// readBinary reads what OS/ARCH=FILE names, and makes sure that it was built for
// that and needs no library.
func readBinary(arg string) (binary, error) {
	platform, file, ok := strings.Cut(arg, "=")
	system, arch, ok2 := strings.Cut(platform, "/")
	if !ok || !ok2 {
		return binary{}, fmt.Errorf("%q: must be OS/ARCH=FILE", arg)
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return binary{}, err
	}
	want := map[string]string{"GOOS": system, "GOARCH": arch, "CGO_ENABLED": "0"}
	for _, s := range info.Settings {
		if v, ok := want[s.Key]; ok && v != s.Value {
			return binary{}, fmt.Errorf("%s: was built with %s=%s, not %s", file, s.Key, s.Value, v)
		}
	}
	content, err := os.ReadFile(file)
	return binary{platform: v1.Platform{OS: system, Architecture: arch}, content: content, info: info}, err
}
