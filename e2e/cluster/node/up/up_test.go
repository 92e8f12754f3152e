package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/cluster/node"
	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// patience is how long a boot and its end may take on a busy machine, and what has
// to be built.
const patience = 15 * time.Minute

// machine is what a test sees of the machine: everything that a node might leave
// there and that no directory of its own holds.
type machine struct{ links, dirs []string }

func look(t *testing.T) machine {
	t.Helper()
	var m machine
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		m.links = append(m.links, l.Name)
	}
	for _, pattern := range []string{
		"/run/containerd", "/run/netns/*", "/var/lib/cni", "/var/lib/kubelet", "/var/log/pods", "/var/log/containers", "/etc/cni",
		"/sys/fs/cgroup/*/k8s.io", "/sys/fs/cgroup/*/kubepods",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		m.dirs = append(m.dirs, found...)
	}
	return m
}

// output is what a process has printed so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// run is this program as it runs, with a directory that is its own.
type run struct {
	cmd    *exec.Cmd
	out    output
	dir    string
	before machine
}

func start(ctx context.Context, t *testing.T, args ...string) *run {
	t.Helper()
	if err := node.Supported(); err != nil {
		fmt.Fprintf(os.Stderr, "\n!!!! NOT RUN: %s. There can be no node on this machine:\n%v\n\n", t.Name(), err)
		t.Skip(err)
	}
	program := filepath.Join(t.TempDir(), "up")
	build(ctx, t, program, ".", os.Environ())
	dir, err := os.MkdirTemp("", "up-") // short, for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	r := &run{cmd: exec.CommandContext(ctx, program, args...), dir: dir, before: look(t)}
	r.cmd.Env = append(os.Environ(), "TMPDIR="+dir, isolate.Keep+"=")
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	r.cmd.WaitDelay = time.Minute
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // should this test be killed itself
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

func build(ctx context.Context, t *testing.T, to, what string, env []string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", to, what)
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// leavesNothing waits for the end of everything that a run consists of, and sees
// that the machine is as it was.
func (r *run) leavesNothing(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := wait.Within(ctx, time.Minute, "everything to be gone", func(context.Context) error {
		files, err := os.ReadDir(r.dir)
		if err == nil && len(files) > 0 {
			err = fmt.Errorf("files: %v", files)
		}
		left, lerr := isolate.Left(r.dir)
		if lerr == nil && len(left) > 0 {
			lerr = fmt.Errorf("left: %q", left)
		}
		return errors.Join(err, lerr)
	}); err != nil {
		t.Errorf("%v\n%s", err, r.out.String())
	}
	after := look(t)
	if !slices.Equal(after.links, r.before.links) || !slices.Equal(after.dirs, r.before.dirs) {
		t.Errorf("before: %+v\nafter: %+v", r.before, after)
	}
}

// TestUp boots a node, has TestOnNode run there, and sees that nothing is left.
func TestUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	hello := filepath.Join(t.TempDir(), "hello")
	build(ctx, t, hello, "./testdata/hello", append(os.Environ(), "CGO_ENABLED=0"))
	r := start(ctx, t, "env", helloVariable+"="+hello, os.Args[0], "-test.run=^TestOnNode$", "-test.v", "-test.timeout=10m")
	err := r.cmd.Wait()
	if err != nil || !strings.Contains(r.out.String(), "--- PASS: TestOnNode") {
		t.Fatalf("%v\n%s", err, r.out.String())
	}
	t.Log(r.out.String())
	r.leavesNothing(ctx, t)
}

// TestEnds ends a run half-way through its boot, when containers run.
func TestEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  syscall.Signal
	}{
		{"interrupted", syscall.SIGINT},
		{"killed", syscall.SIGKILL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			r := start(ctx, t)
			if err := wait.Until(ctx, "a container", r.container); err != nil {
				t.Fatalf("%v\n%s", err, r.out.String())
			}
			if left, err := isolate.Left(r.dir); err != nil || len(left) == 0 {
				t.Errorf("while it runs, this is found: %q, %v", left, err)
			}
			if err := r.cmd.Process.Signal(tt.end); err != nil {
				t.Fatal(err)
			}
			if err := r.cmd.Wait(); err == nil {
				t.Error("a boot that did not come to its end is none that failed")
			}
			r.leavesNothing(ctx, t)
		})
	}
}

// container reports whether a container runs in the run: it is in a control group
// below that of the run, which has the name of the run's own directory.
func (r *run) container(context.Context) error {
	if err := r.cmd.Process.Signal(syscall.Signal(0)); err != nil {
		return err
	}
	inner, err := filepath.Glob(filepath.Join(r.dir, "zmy-e2e-*"))
	if err != nil || len(inner) != 1 {
		return fmt.Errorf("directories %q, %w", inner, err)
	}
	found, err := filepath.Glob(filepath.Join("/sys/fs/cgroup/pids", filepath.Base(inner[0]), "k8s.io", "*"))
	if err == nil && len(found) == 0 {
		err = errors.New("none yet")
	}
	return err
}
