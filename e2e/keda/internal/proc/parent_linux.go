package proc

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel kill the program when the test process ends, in
// whatever way that happens.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
