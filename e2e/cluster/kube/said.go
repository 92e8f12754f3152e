package kube

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// Said returns what programs logged about a namespace.
func (p *Plane) Said(namespace string, programs ...string) string {
	var text strings.Builder
	for _, name := range programs {
		fmt.Fprintf(&text, "-- %s\n%s", name, Tail(p.Log(name), 60, namespace))
	}
	return text.String()
}

// Describe returns what kubectl tells of a namespace.
func (p *Plane) Describe(ctx context.Context, namespace string) string {
	in := " --namespace=" + namespace
	return p.Show(ctx, "describe hpa"+in, "get scaledobjects -o yaml --show-managed-fields=false"+in,
		"get deployments,statefulsets,pods -o wide"+in, "get events --sort-by=.lastTimestamp"+in)
}

// Show returns what commands of kubectl's print.
func (p *Plane) Show(ctx context.Context, commands ...string) string {
	var text strings.Builder
	for _, command := range commands {
		out, err := p.Kubectl(ctx, strings.Fields(command)...)
		fmt.Fprintf(&text, "-- kubectl %s\n%s", command, out)
		if err != nil {
			fmt.Fprintln(&text, err)
		}
	}
	return text.String()
}

// Kubectl runs kubectl as an administrator and returns what it printed.
func (p *Plane) Kubectl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.o.Tools[tools.Kubectl], append(args, "--kubeconfig="+p.Kubeconfig(Admin))...)
	cmd.Env = append(os.Environ(), "KUBECACHEDIR="+p.Path("kubectl"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// tails returns the end of every log.
func (p *Plane) tails() string {
	logs, err := filepath.Glob(p.Log("*"))
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, log := range logs {
		fmt.Fprintf(&text, "-- %s\n%s", filepath.Base(log), Tail(log, 15, ""))
	}
	return text.String()
}

// Tail returns the last n lines of a file that contain a text.
func Tail(file string, n int, with string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return err.Error() + "\n"
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(b)), "\n"), func(l string) bool { return !strings.Contains(l, with) })
	if len(lines) > n {
		lines = append([]string{fmt.Sprintf("(%d lines before)", len(lines)-n)}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n") + "\n"
}
