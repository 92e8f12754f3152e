package isolate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

const (
	// janitorVariable says, in the environment of a janitor, which directory it
	// cleans up.
	janitorVariable = "ZMY_E2E_JANITOR"
	// Keep names the environment variable that keeps the directory of a run.
	Keep = "ZMY_E2E_KEEP"
	// dying is how long the kernel may take to end what is in the namespaces.
	dying = 30 * time.Second
)

// janitor is a process that waits for the end of a run, of which it is no part, so
// that there is somebody to clean up when the run is killed.
type janitor struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

func startJanitor(dir string) (*janitor, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), janitorVariable+"="+dir)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no Ctrl-C reaches it
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the janitor: %w", err)
	}
	return &janitor{cmd: cmd, in: in}, nil
}

// end tells the janitor that the inner run has ended while the outer one lives,
// whose directory is its own to remove, and waits until it has cleaned up.
func (j *janitor) end() error {
	_, err := j.in.Write([]byte{0})
	return errors.Join(err, j.in.Close(), j.cmd.Wait())
}

// clean is what a janitor does. Its standard input ends with the outer run.
func clean(ctx context.Context, dir string) error {
	farewell, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	killed := len(farewell) == 0
	return wait.Within(ctx, dying, "an end of the run", func(context.Context) error {
		if left, err := processes(dir); err != nil || len(left) > 0 {
			return errors.Join(err, fmt.Errorf("still there: %q", left))
		}
		if err := removeGroups(dir); err != nil || !killed || os.Getenv(Keep) != "" {
			return err
		}
		return os.RemoveAll(dir)
	})
}
