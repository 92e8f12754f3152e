// Package proc runs the programs of a cluster. Each has a process group of its
// own, so that Ctrl-C in a terminal reaches the tests alone, which then end it in
// order; and the kernel ends it when the tests are gone.
package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// grace is how long a program may take to end when told to.
const grace = 15 * time.Second

// Program is something to run.
type Program struct {
	// Name is for messages, Path the executable.
	Name, Path string
	Args       []string
	// Env is added to a minimal environment.
	Env []string
	// Log is the file that its output is added to.
	Log string
	// Namespaces are the namespaces it gets of its own, as flags of clone(2).
	Namespaces uintptr
}

// Process is a program that was started.
type Process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// Start runs a program.
func Start(p Program) (*Process, error) {
	out, err := os.OpenFile(p.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer out.Close() // the program has a descriptor of its own
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + os.TempDir(), "TMPDIR=" + os.TempDir()}, p.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: p.Namespaces}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.Name, err)
	}
	started := &Process{name: p.Name, cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(started.done)
		_ = cmd.Wait() // how it ended is read from its state
	}()
	return started, nil
}

// Err returns an error if the program has ended.
func (p *Process) Err() error {
	select {
	case <-p.done:
		return fmt.Errorf("%s has ended: %v", p.name, p.cmd.ProcessState)
	default:
		return nil
	}
}

// Signal sends a signal. A program that has ended does not mind.
func (p *Process) Signal(s syscall.Signal) error {
	err := p.cmd.Process.Signal(s)
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Stop tells the program to end, and kills it when it takes too long or the
// context ends.
func (p *Process) Stop(ctx context.Context) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	if err := p.Kill(); err != nil {
		return err
	}
	return fmt.Errorf("%s did not end by itself and was killed", p.name)
}

// Kill ends the program at once.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	<-p.done
	return nil
}
