//go:build !linux

package proc

import "os/exec"

// dieWithParent does nothing: this system has no such promise to give.
func dieWithParent(*exec.Cmd) {}
