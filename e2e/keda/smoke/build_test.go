package smoke

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// module is where the version of Prometheus is pinned.
	module = "../../prometheus"
	// program is its server.
	program = "github.com/prometheus/prometheus/cmd/prometheus"
	// tags leave out all service discovery but static and by file, and with it
	// most of the build.
	tags = "remove_all_sd"
)

// buildPrometheus returns the Prometheus server. It is built once and kept in the
// user's cache for as long as its pins and the Go version stay the same.
func buildPrometheus(ctx context.Context, t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	pins := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			t.Fatal(err)
		}
		pins.Write(content)
	}
	fmt.Fprint(pins, runtime.Version(), runtime.GOOS, runtime.GOARCH, tags)
	dir := filepath.Join(cache, "zmy-scaler", "e2e")
	binary := filepath.Join(dir, fmt.Sprintf("prometheus-%x", pins.Sum(nil)[:8]))
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	fresh := filepath.Join(t.TempDir(), "prometheus")
	say(t, "building Prometheus for %s; the next run will not", binary)
	if err := compile(ctx, t, fresh); err != nil {
		t.Fatal(err)
	}
	if err := move(fresh, binary); err != nil {
		t.Fatal(err)
	}
	return binary
}

// compile builds the server and tells now and then how far it is.
func compile(ctx context.Context, t *testing.T, binary string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-C", module, "-v", "-trimpath", "-buildvcs=false", "-tags", tags, "-o", binary, program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	var lines sync.WaitGroup
	var last string
	lines.Go(func() { last = progress(t, reader) })
	err := cmd.Run()
	writer.Close() // never fails
	lines.Wait()
	if err != nil {
		return fmt.Errorf("build Prometheus: %w\n%s", err, last)
	}
	return nil
}

// progress reads what the build writes and returns the end of it.
func progress(t *testing.T, r io.Reader) string {
	var packages, downloads int
	var tail []string
	began, told := time.Now(), time.Now()
	for s := bufio.NewScanner(r); s.Scan(); {
		tail = append(tail, s.Text())[max(0, len(tail)-20):]
		if strings.HasPrefix(s.Text(), "go: downloading") {
			downloads++
		} else {
			packages++
		}
		if time.Since(told) > 10*time.Second {
			say(t, "  %v: %d modules fetched, %d packages built", time.Since(began).Round(time.Second), downloads, packages)
			told = time.Now()
		}
	}
	return strings.Join(tail, "\n")
}

// move puts a finished program in its place at once, so that no other run sees a
// half of it.
func move(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	part, err := os.CreateTemp(filepath.Dir(to), ".prometheus-")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	if _, err := part.Write(content); err != nil {
		return err
	}
	if err := part.Chmod(0o750); err != nil {
		return err
	}
	if err := part.Close(); err != nil {
		return err
	}
	return os.Rename(part.Name(), to)
}

// say writes a line for whoever watches.
func say(t *testing.T, format string, args ...any) {
	fmt.Fprintf(t.Output(), format+"\n", args...)
}
