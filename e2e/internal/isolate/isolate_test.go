package isolate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

const (
	// outerVariable has this binary be an outer run, with the directory it names.
	outerVariable = "ISOLATE_TEST_OUTER"
	// groupsVariable has the inner run enter control groups, for which root is needed.
	groupsVariable = "ISOLATE_TEST_GROUPS"
)

func TestMain(m *testing.M) {
	if dir, inside := Inside(context.Background()); inside {
		os.Exit(inner(dir))
	}
	if dir := os.Getenv(outerVariable); dir != "" {
		code, err := Run(dir, nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// inner does what a cluster does: it gives names, listens, leaves a process behind
// that heeds no signal, and says that it is up. It waits for a signal.
func inner(dir string) int {
	n, err := Enter(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	address := n.Address()
	if err := errors.Join(n.Name("some.name", address, n.Address()), listen(address)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	found, err := net.DefaultResolver.LookupHost(context.Background(), "some.name")
	if err != nil || len(found) != 2 || found[0] != address {
		fmt.Fprintln(os.Stderr, "some.name is", found, err)
		return 1
	}
	if os.Getenv(groupsVariable) != "" {
		if err := group(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	stubborn := exec.Command("sh", "-c", "trap '' INT TERM; while :; do sleep 1; done", dir)
	if err := stubborn.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	if err := os.WriteFile(filepath.Join(dir, "up"), nil, 0o644); err != nil {
		return 1
	}
	<-signals
	return 7
}

// group enters control groups and makes one below them, as a container runtime does.
func group(dir string) error {
	if err := EnterGroups(dir); err != nil {
		return err
	}
	found, err := Hierarchies()
	if err != nil {
		return err
	}
	for _, mounted := range slices.Concat(found["cgroup"], found["cgroup2"]) {
		if err := os.Mkdir(filepath.Join(mounted, "below"), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func listen(address string) error {
	l, err := net.Listen("tcp", address+":80") // a port of root's
	if err != nil {
		return err
	}
	return l.Close()
}

// TestNothingIsLeft ends an outer run in every way there is.
func TestNothingIsLeft(t *testing.T) {
	for _, tt := range []struct {
		name string
		sig  syscall.Signal
		code int
		dir  bool // is there still
	}{
		{"interrupted", syscall.SIGINT, 7, true},
		{"terminated", syscall.SIGTERM, 7, true},
		{"killed", syscall.SIGKILL, -1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			dir, err := os.MkdirTemp("", "isolate-") // control groups have its last part as their name
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			var out strings.Builder
			cmd := exec.CommandContext(ctx, os.Args[0])
			cmd.Env = append(os.Environ(), outerVariable+"="+dir, Keep+"=")
			if os.Geteuid() == 0 {
				cmd.Env = append(cmd.Env, groupsVariable+"=yes")
			}
			cmd.Stdout, cmd.Stderr = &out, &out
			cmd.WaitDelay = 10 * time.Second
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if err := wait.Until(ctx, "the inner run", func(context.Context) error {
				_, err := os.Stat(filepath.Join(dir, "up"))
				return err
			}); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if left, err := Left(dir); err != nil || len(left) == 0 {
				t.Fatalf("while it runs, this is found: %q, %v", left, err)
			}
			if err := cmd.Process.Signal(tt.sig); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // the code tells
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("exit code %d, want %d\n%s", code, tt.code, out.String())
			}
			if err := wait.Within(ctx, 10*time.Second, "everything to be gone", func(context.Context) error {
				left, err := Left(dir)
				if err == nil && len(left) > 0 {
					err = fmt.Errorf("left: %q", left)
				}
				if _, serr := os.Stat(dir); (serr == nil) != tt.dir {
					err = errors.Join(err, fmt.Errorf("the directory is there: %v, want %v", !tt.dir, tt.dir))
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOutside sees that the machine itself is left alone.
func TestOutside(t *testing.T) {
	dir := t.TempDir()
	if err := Prepare(dir, ""); err == nil {
		t.Error("prepared outside an inner run")
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("it wrote %v, %v", files, err)
	}
}
