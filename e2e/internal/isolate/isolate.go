// Package isolate runs a test binary a second time, in network, process and mount
// namespaces of its own. Inside there is nothing but loopback, so that no fixed
// port can be taken and none is open to others; host names are the test's to give;
// and when the binary ends, in whatever way, the kernel ends every process that it
// has left.
//
// Root is not needed where the system lets users make namespaces.
package isolate

import (
	"bufio"
	"bytes"
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
// run.
func Inside() (dir string, inside bool) {
	dir = os.Getenv(variable)
	return dir, dir != ""
}

// Run runs this binary again, inside, with dir as its own directory and for
// everything temporary. It passes signals on and returns the exit code.
func Run(dir string, env []string) (int, error) {
	// Its death is tied to this thread, not to this process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	defer signal.Stop(signals)
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
// processes and mounts.
func Left(dir string) ([]string, error) {
	var left []string
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer mounts.Close()
	lines := bufio.NewScanner(mounts)
	for lines.Scan() {
		if strings.Contains(lines.Text(), dir) {
			left = append(left, "mount: "+lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		// A process that ends while we look is none that is left.
		command, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		environ, _ := os.ReadFile("/proc/" + e.Name() + "/environ")
		if bytes.Contains(command, []byte(dir)) || bytes.Contains(environ, []byte("TMPDIR="+dir)) {
			left = append(left, fmt.Sprintf("process %s: %s", e.Name(), bytes.ReplaceAll(command, []byte{0}, []byte{' '})))
		}
	}
	return left, nil
}
