package controlplane

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

// Said returns what KEDA and the controller manager logged about a namespace.
func (c *Cluster) Said(_ context.Context, namespace string) string {
	var text strings.Builder
	for _, name := range []string{"keda-operator", "keda-adapter", "keda-webhooks", "kube-controller-manager"} {
		fmt.Fprintf(&text, "-- %s\n%s", name, tail(c.log(name), 60, namespace))
	}
	return text.String()
}

// Describe returns what kubectl tells of a namespace.
func (c *Cluster) Describe(ctx context.Context, namespace string) string {
	var text strings.Builder
	for _, args := range [][]string{
		{"describe", "hpa"},
		{"get", "scaledobjects", "-o", "yaml", "--show-managed-fields=false"},
		{"get", "deployments,statefulsets,pods", "-o", "wide"},
		{"get", "events", "--sort-by=.lastTimestamp"},
	} {
		cmd := exec.CommandContext(ctx, c.o.Tools[tools.Kubectl], append(args, "-n", namespace, "--kubeconfig="+c.kubeconfigOf("admin"))...)
		cmd.Env = append(os.Environ(), "KUBECACHEDIR="+c.path("kubectl"))
		out, err := cmd.CombinedOutput()
		fmt.Fprintf(&text, "-- kubectl %s\n%s", strings.Join(args, " "), out)
		if err != nil {
			fmt.Fprintln(&text, err)
		}
	}
	return text.String()
}

// tails returns the end of every log.
func (c *Cluster) tails() string {
	logs, err := filepath.Glob(c.log("*"))
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, log := range logs {
		fmt.Fprintf(&text, "-- %s\n%s", filepath.Base(log), tail(log, 15, ""))
	}
	return text.String()
}

// tail returns the last n lines of a file that contain a text.
func tail(file string, n int, with string) string {
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
