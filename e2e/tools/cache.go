package tools

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Cache is where built programs are kept between runs.
type Cache struct {
	// Dir is the directory with the programs.
	Dir string
	// E2E is the folder e2e of the repository.
	E2E string
	// Log gets the progress.
	Log io.Writer
}

// Open returns the user's cache for the repository around the working directory.
func Open(log io.Writer) (Cache, error) {
	root, err := Root()
	if err != nil {
		return Cache{}, err
	}
	user, err := os.UserCacheDir()
	if err != nil {
		return Cache{}, fmt.Errorf("a place for built programs: %w", err)
	}
	dir := filepath.Join(user, "zmy-scaler", "e2e", "bin")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Cache{}, fmt.Errorf("a place for built programs: %w", err)
	}
	return Cache{Dir: dir, E2E: filepath.Join(root, "e2e"), Log: log}, nil
}

// Root returns the root of the repository around the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "e2e", "tools", "kubernetes", "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("the working directory is not in the repository")
		}
		dir = up
	}
}

// Path returns where the tool is kept. The name depends on everything that the
// program is made of.
func (c Cache) Path(t Tool) (string, error) {
	module := filepath.Join(c.E2E, t.Module)
	files := []string{filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum")}
	if strings.HasPrefix(t.Package, "./") { // of that module itself
		own, err := filepath.Glob(filepath.Join(module, t.Package, "*.go"))
		if err != nil {
			return "", err
		}
		files = append(files, own...)
	}
	h := sha256.New()
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("the module of %s: %w", t.Name, err)
		}
		h.Write(b)
	}
	fmt.Fprintf(h, "%s %s %s %q", runtime.Version(), runtime.GOOS, runtime.GOARCH, t.args())
	return filepath.Join(c.Dir, t.Name+"-"+hex.EncodeToString(h.Sum(nil))[:16]), nil
}

// Ensure builds those of the tools that the cache lacks and returns where each of
// them is, by name.
func (c Cache) Ensure(ctx context.Context, all []Tool) (map[string]string, error) {
	unlock, err := c.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	paths, missing := map[string]string{}, []Tool(nil)
	for _, t := range all {
		path, err := c.Path(t)
		if err != nil {
			return nil, err
		}
		paths[t.Name] = path
		_, err = os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, t)
		case err != nil:
			return nil, err
		}
	}
	defer c.fetchAhead(ctx, missing)()
	p := newProgress(c.Log, missing)
	for _, t := range missing {
		p.begin(t)
		if err := c.build(ctx, t, paths[t.Name]); err != nil {
			return nil, err
		}
		p.end(t)
	}
	return paths, nil
}

// fetchAhead begins to fetch what the tools are built from, so that no build waits
// for the network, and returns what ends that. Its errors show when a tool is built.
func (c Cache) fetchAhead(ctx context.Context, all []Tool) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, t := range all {
			_ = c.command(ctx, t, "list", "-deps", "-f", "{{/* nothing */}}").Run()
		}
	}()
	return func() { cancel(); <-done }
}

// command returns a go command for a tool.
func (c Cache) command(ctx context.Context, t Tool, verb string, flags ...string) *exec.Cmd {
	args := append([]string{verb, "-C", filepath.Join(c.E2E, t.Module)}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, t.args()...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// build builds a tool beside its place and moves it there when it is whole.
func (c Cache) build(ctx context.Context, t Tool, path string) error {
	half := path + ".half"
	cmd := c.command(ctx, t, "build", "-o", half)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", t.Name, err, out.String())
	}
	return os.Rename(half, path)
}

// lock waits until no other process builds into the cache.
func (c Cache) lock(ctx context.Context) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(c.Dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil // which unlocks
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
		}
		if !told {
			fmt.Fprintln(c.Log, "another run builds the tools; waiting for it")
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), f.Close())
		case <-ticker.C:
		}
	}
}

// KedaConfig returns the folder with KEDA's own manifests, of the version that is
// built. They are copied out of the module cache, so that a later run needs none.
func (c Cache) KedaConfig(ctx context.Context) (string, error) {
	dir := filepath.Join(c.Dir, "keda-config-"+kedaVersion)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	cmd := exec.CommandContext(ctx, "go", "list", "-C", filepath.Join(c.E2E, "tools/keda"), "-m", "-f", "{{.Dir}}", "github.com/kedacore/keda/v2")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("find KEDA's manifests: %w", err)
	}
	half := dir + ".half"
	if err := os.RemoveAll(half); err != nil {
		return "", err
	}
	if err := os.CopyFS(half, os.DirFS(filepath.Join(strings.TrimSpace(string(out)), "config"))); err != nil {
		return "", fmt.Errorf("copy KEDA's manifests: %w", err)
	}
	if err := os.Rename(half, dir); err != nil {
		return "", err
	}
	return dir, nil
}
