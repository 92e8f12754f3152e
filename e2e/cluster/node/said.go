package node

import (
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
