package node

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/infra-arch/zmy-scaler/e2e/cluster/kube"
)

// podLogs returns the end of what every pod logged. The kubelet keeps it in files,
// which are there also when it does not answer.
func (n *Node) podLogs() string {
	logs, err := filepath.Glob(n.Path("pods", "*", "*", "*.log"))
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, log := range logs {
		pod, _ := filepath.Rel(n.Path("pods"), log)
		fmt.Fprintf(&text, "-- %s\n%s", pod, kube.Tail(log, 30, ""))
	}
	return text.String()
}

// state returns what kubectl tells of the node and of all pods.
func (n *Node) state(ctx context.Context) string {
	var text strings.Builder
	for _, args := range [][]string{
		{"describe", "nodes"}, {"get", "pods", "-A", "-o", "wide"}, {"get", "events", "-A", "--sort-by=.lastTimestamp"},
	} {
		out, err := n.Kubectl(ctx, args...)
		fmt.Fprintf(&text, "-- kubectl %s\n%s", strings.Join(args, " "), out)
		if err != nil {
			fmt.Fprintln(&text, err)
		}
	}
	return text.String()
}
