// Package isolate runs a test binary a second time, in network, process and mount
// namespaces of its own. Inside there is nothing but loopback, so that no fixed
// port can be taken and none is open to others; host names are the test's to give;
// and when the binary ends, in whatever way, the kernel ends every process that it
// has left.
//
// Root is not needed where the system lets users make namespaces.
package isolate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
)

// variable says, in the environment of the inner run, which directory is its own.
const variable = "ZMY_E2E_INSIDE"

// Inside returns the directory of the inner run, and whether this is the inner
// run. A binary asks before it does anything else: where it runs as the janitor of a
// run, Inside cleans up and does not return.
func Inside(ctx context.Context) (dir string, inside bool) {
	if dir := os.Getenv(janitorVariable); dir != "" {
		if err := clean(ctx, dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	dir = os.Getenv(variable)
	return dir, dir != ""
}

// Run runs this binary again, inside, with dir as its own directory and for
// everything temporary. It passes signals on and returns the exit code. Should this
// process be killed, then the directory is removed as well.
func Run(dir string, env []string) (code int, err error) {
	// Its death is tied to this thread, not to this process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	defer signal.Stop(signals)
	janitor, err := startJanitor(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, janitor.end()) }()
	cmd, err := start(dir, env)
	if err != nil {
		return 0, err
	}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-signals:
				_ = cmd.Process.Signal(s) // it may just have ended
			case <-done:
				return
			}
		}
	}()
	err = cmd.Wait()
	close(done)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		if code := exit.ExitCode(); code > 0 {
			return code, nil
		}
		return 1, nil // by a signal
	}
	return 0, err
}

// start starts the inner run: as the root that we are, or as the root of a user
// namespace.
func start(dir string, env []string) (*exec.Cmd, error) {
	var failed []error
	for _, user := range []bool{false, true} {
		if !user && os.Geteuid() != 0 {
			continue
		}
		cmd := exec.Command(os.Args[0], os.Args[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.Env = append(os.Environ(), variable+"="+dir, "TMPDIR="+dir)
		cmd.Env = append(cmd.Env, env...)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
			Setpgid:    true, Pdeathsig: syscall.SIGKILL,
		}
		if user {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
		}
		err := cmd.Start()
		if err == nil {
			return cmd, nil
		}
		failed = append(failed, err)
	}
	return nil, fmt.Errorf("no namespaces for the cluster: %w; be root, or allow users to make them: "+
		"sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0", errors.Join(failed...))
}

// Left returns what still refers to the directory of an inner run that has ended:
// processes, mounts and control groups.
func Left(dir string) ([]string, error) {
	left, err := processes(dir)
	if err != nil {
		return nil, err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, dir) {
			left = append(left, "mount: "+line)
		}
	}
	all, err := groups(dir)
	if err != nil {
		return nil, err
	}
	for _, group := range all {
		if _, err := os.Stat(group); err == nil {
			left = append(left, "control group: "+group)
		}
	}
	return left, nil
}

// processes returns the processes that have the directory in their arguments or
// for everything temporary.
func processes(dir string) ([]string, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, e := range entries {
		// A process that ends while we look is none that is left.
		command, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		environ, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		if bytes.Contains(command, []byte(dir)) || bytes.Contains(environ, []byte("TMPDIR="+dir)) {
			found = append(found, fmt.Sprintf("process %s: %s", e.Name(), bytes.ReplaceAll(command, []byte{0}, []byte{' '})))
		}
	}
	return found, nil
}

// Session makes a directory for a run, has it made ready, and runs this binary
// again, inside. Afterwards nothing is left, or it is an error; but the directory,
// if the variable Keep is set.
func Session(ready func(dir string) error) (code int, err error) {
	dir, err := os.MkdirTemp("", "zmy-e2e-")
	if err != nil {
		return 0, err
	}
	defer func() {
		if os.Getenv(Keep) != "" {
			fmt.Fprintf(os.Stderr, "kept %s\n", dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	if err := ready(dir); err != nil {
		return 0, err
	}
	if code, err = Run(dir, nil); err != nil {
		return code, err
	}
	left, err := Left(dir)
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("the run has left behind:\n%s", strings.Join(left, "\n"))
	}
	return code, err
}
