// Package proc runs programs for tests. None of them outlives its test, and a
// test that fails shows what its programs wrote.
package proc

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/wait"
)

// killAfter is how long a program is waited for after it was killed.
const killAfter = 10 * time.Second

// Process is a running program.
type Process struct {
	name string
	cmd  *exec.Cmd
	out  output
	done chan struct{} // closed when it has ended
}

// Start runs a program until the end of the test at the latest.
func Start(t testing.TB, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{name: name, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.out, &p.out
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.done)
		// How it ended is read from its state; everything it writes to takes it.
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { p.end(t) })
	return p
}

// end kills the program if it still runs, and shows its output if the test has
// failed.
func (p *Process) end(t testing.TB) {
	select {
	case <-p.done:
	default:
		if err := p.cmd.Process.Kill(); err != nil {
			t.Errorf("kill %s: %v", p.name, err)
		}
	}
	timer := time.NewTimer(killAfter)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		t.Errorf("%s does not end", p.name)
	}
	if t.Failed() {
		t.Logf("---- output of %s (%v)\n%s----", p.name, p.cmd.ProcessState, p.out.String())
	}
}

// Signal sends a signal to the program.
func (p *Process) Signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%v to %s: %v", s, p.name, err)
	}
}

// PID returns the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done returns a channel that is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the program to end and returns its exit code, -1 when a signal
// ended it.
func (p *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("waited for %s to end: %w", p.name, context.Cause(ctx))
	}
}

// Line waits for the program to write a line that satisfies match, and returns it.
func (p *Process) Line(ctx context.Context, what string, match func(line string) bool) (string, error) {
	var line string
	var found, ended bool
	if err := wait.Until(ctx, p.name+" to write "+what, func() bool {
		select {
		case <-p.done:
			ended = true
		default:
		}
		line, found = p.out.first(match)
		return found || ended
	}); err != nil {
		return "", err
	}
	if !found {
		return "", fmt.Errorf("%s ended (%v) before it wrote %s", p.name, p.cmd.ProcessState, what)
	}
	return line, nil
}
