package incluster

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/infra-arch/zmy-scaler/e2e/internal/image"
	"github.com/infra-arch/zmy-scaler/e2e/internal/testrun"
	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// local is where images are said to be from that no registry has.
const local = "e2e.invalid"

// Image is an image that pods name.
type Image struct {
	// Name is what pods call it.
	Name string
	// Archive is the file to load it from; empty when a registry has it.
	Archive string
}

// Kit is what is put on a cluster. It is made before there is one.
type Kit struct {
	// Helm is the program.
	Helm string
	// Releases are two versions of the scaler, the older one first.
	Releases [2]Release
	// Actor is the image of workers and exporters.
	Actor, Prometheus Image
}

// Release is the scaler as it is released: a packaged chart whose version names an
// image.
type Release struct {
	Chart string
	Image Image
}

// KitOptions say where a kit comes from.
type KitOptions struct {
	// Root is the repository, Dir the directory that everything is written to.
	Root, Dir string
	// Tools builds Prometheus.
	Tools tools.Cache
	// Registry is the registry, with a path, that images are pushed to. Without one
	// they are written to archives.
	Registry string
	// Prometheus names an image of Prometheus, in place of one of our own.
	Prometheus string
	// Log gets the progress.
	Log io.Writer
}

// Make builds a kit.
func Make(ctx context.Context, o KitOptions) (Kit, error) {
	var k Kit
	for _, s := range []struct {
		what string
		do   func(context.Context, KitOptions) error
	}{
		{"helm", k.helm},
		{"the image of workers and exporters", k.actor},
		{"the image of Prometheus", k.prometheus},
		{"two releases of the scaler", k.releases},
	} {
		fmt.Fprintf(o.Log, "make %s\n", s.what)
		if err := s.do(ctx, o); err != nil {
			return Kit{}, fmt.Errorf("make %s: %w", s.what, err)
		}
	}
	return k, nil
}

// Images returns all images.
func (k Kit) Images() []Image {
	return []Image{k.Actor, k.Prometheus, k.Releases[0].Image, k.Releases[1].Image}
}

// helm builds the program, which Go keeps in its cache.
func (k *Kit) helm(ctx context.Context, o KitOptions) error {
	out, err := command(ctx, o.Root, nil, "go", "tool", "-modfile=tools/helm/go.mod", "-n", "helm")
	k.Helm = strings.TrimSpace(out)
	return err
}

func (k *Kit) actor(ctx context.Context, o KitOptions) error {
	program := filepath.Join(o.Dir, "actor")
	if err := testrun.Build(ctx, filepath.Join(o.Root, "e2e"), program, "./incluster/actor"); err != nil {
		return err
	}
	k.Actor = o.image("actor", "1")
	return publish(k.Actor, program, "actor")
}

func (k *Kit) prometheus(ctx context.Context, o KitOptions) error {
	if o.Prometheus != "" {
		k.Prometheus = Image{Name: o.Prometheus}
		return nil
	}
	all := tools.ControlPlane()
	i := slices.IndexFunc(all, func(t tools.Tool) bool { return t.Name == tools.Prometheus })
	programs, err := o.Tools.Ensure(ctx, all[i:i+1])
	if err != nil {
		return err
	}
	k.Prometheus = o.image("prometheus", "1")
	return publish(k.Prometheus, programs[tools.Prometheus], "prometheus")
}

// publish makes an image of a program. It writes it to its archive, or pushes it
// with the credentials of the container tools when it has none.
func publish(to Image, program, inside string) error {
	if to.Archive != "" {
		return image.Write(to.Archive, to.Name, program, inside)
	}
	made, err := image.Program(program, inside)
	if err != nil {
		return err
	}
	ref, err := name.NewTag(to.Name)
	if err != nil {
		return err
	}
	return remote.Write(ref, made, remote.WithAuthFromKeychain(authn.DefaultKeychain))
}

// releases builds the image as `make image` does, and packages the chart, both as a
// release does. Each version has an image of its own.
func (k *Kit) releases(ctx context.Context, o KitOptions) error {
	for i := range k.Releases {
		version := fmt.Sprintf("0.0.%d", i+1)
		built := o.image("zmy-scaler", version)
		out := filepath.Join(o.Dir, version)
		var args []string
		if built.Archive == "" {
			args = append(args, "-push")
		} else {
			built.Archive = filepath.Join(out, "zmy-scaler.tar")
		}
		if _, err := command(ctx, o.Root, []string{
			"IMAGE=" + built.Name, "VERSION=" + version, "COMMIT=e2e", "CREATED=0", "PLATFORMS=linux/" + runtime.GOARCH, "OUT=" + out,
		}, "hack/image.sh", args...); err != nil {
			return err
		}
		if _, err := command(ctx, o.Root, nil, k.Helm, "package", "charts/zmy-scaler",
			"--version", version, "--app-version", version, "--destination", o.Dir); err != nil {
			return err
		}
		k.Releases[i] = Release{Chart: filepath.Join(o.Dir, "zmy-scaler-"+version+".tgz"), Image: built}
	}
	return nil
}

// image names an image, and the archive that it will be in.
func (o KitOptions) image(what, tag string) Image {
	if o.Registry != "" {
		return Image{Name: o.Registry + "/" + what + ":" + tag}
	}
	return Image{Name: local + "/" + what + ":" + tag, Archive: filepath.Join(o.Dir, what+"-"+tag+".tar")}
}

// command runs a program in a directory and returns what it printed.
func command(ctx context.Context, dir string, env []string, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var out, trouble strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &trouble
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(program), strings.Join(args, " "), err, out.String(), trouble.String())
	}
	return out.String(), nil
}
