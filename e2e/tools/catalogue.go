// Package tools builds the programs of a cluster from Go modules with pinned
// versions, into a cache that survives between runs. What the cache has is not
// built again.
package tools

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The versions that are stamped into the programs. They repeat what the go.mod
// files beside this file pin; a test compares them.
const (
	kubernetesVersion = "1.36.4"
	kedaVersion       = "2.21.0"
	kwokVersion       = "0.8.0"
)

// Tool is a program that is built from a Go module.
type Tool struct {
	// Name is the name of the program.
	Name string
	// Module is the folder of the module that pins its version, below e2e/.
	Module string
	// Package is the import path of its main package.
	Package string
	// Stamps are variables set by the linker, Tags build tags.
	Stamps []string
	Tags   string
	// Cost is about how long a cold build takes on two cores beside that of the tests,
	// when the tools before it in the catalogue are built already.
	Cost time.Duration
}

// The names of the tools.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Kubectl           = "kubectl"
	Kwok              = "kwok"
	KedaOperator      = "keda-operator"
	KedaAdapter       = "keda-adapter"
	KedaWebhooks      = "keda-webhooks"
	Prometheus        = "prometheus"
	Kubelet           = "kubelet"
	KubeProxy         = "kube-proxy"
	CoreDNS           = "coredns"
	Pause             = "pause"
)

// ControlPlane returns the tools of a control plane without a node, in the order
// in which they are built: what costs most comes first of its module, so that the
// others find its packages built.
func ControlPlane() []Tool {
	return []Tool{
		kubernetes(APIServer, 400*time.Second),
		kubernetes(ControllerManager, 75*time.Second),
		kubernetes(Scheduler, 7*time.Second),
		kubernetes(Kubectl, 20*time.Second),
		keda(KedaOperator, "operator", 330*time.Second),
		keda(KedaAdapter, "adapter", 30*time.Second),
		keda(KedaWebhooks, "webhooks", 3*time.Second),
		{Name: Etcd, Module: "tools/etcd", Package: "go.etcd.io/etcd/server/v3", Cost: 10 * time.Second},
		{
			Name: Kwok, Module: "tools/kwok", Package: "sigs.k8s.io/kwok/cmd/kwok",
			Stamps: []string{"sigs.k8s.io/kwok/pkg/consts.Version=v" + kwokVersion}, Cost: 10 * time.Second,
		},
		{
			Name: Prometheus, Module: "prometheus", Package: "github.com/prometheus/prometheus/cmd/prometheus",
			Tags: "remove_all_sd,enable_kubernetes_sd", Cost: 40 * time.Second,
		},
	}
}

// Node returns the tools of a control plane with a real node.
func Node() []Tool {
	notNeeded := func(t Tool) bool { return t.Name == Kwok || t.Name == Prometheus }
	return append(slices.DeleteFunc(ControlPlane(), notNeeded), onNode()...)
}

// All returns the tools of both.
func All() []Tool { return append(ControlPlane(), onNode()...) }

// onNode returns the tools that only a real node needs.
func onNode() []Tool {
	return []Tool{
		kubernetes(Kubelet, 25*time.Second),
		kubernetes(KubeProxy, 8*time.Second),
		{Name: CoreDNS, Module: "tools/coredns", Package: "github.com/coredns/coredns", Cost: 45 * time.Second},
		{Name: Pause, Module: ".", Package: "./cluster/node/pause", Cost: time.Second},
	}
}

// kubernetes returns a program of Kubernetes' own.
func kubernetes(name string, cost time.Duration) Tool {
	return Tool{
		Name: name, Module: "tools/kubernetes", Package: "k8s.io/kubernetes/cmd/" + name,
		Stamps: kubernetesStamps(), Cost: cost,
	}
}

// keda returns a program of KEDA's.
func keda(name, command string, cost time.Duration) Tool {
	return Tool{
		Name: name, Module: "tools/keda", Package: "github.com/kedacore/keda/v2/cmd/" + command,
		Stamps: []string{"github.com/kedacore/keda/v2/version.Version=" + kedaVersion}, Cost: cost,
	}
}

// kubernetesStamps returns what the build of a Kubernetes release stamps. Without
// it a server calls itself v0.0.0, which KEDA and kubectl take for an old one.
func kubernetesStamps() []string {
	major, rest, _ := strings.Cut(kubernetesVersion, ".")
	minor, _, _ := strings.Cut(rest, ".")
	const version = "k8s.io/component-base/version."
	return []string{
		version + "gitVersion=v" + kubernetesVersion, version + "gitMajor=" + major, version + "gitMinor=" + minor,
		version + "gitTreeState=clean", "k8s.io/client-go/pkg/version.gitVersion=v" + kubernetesVersion,
	}
}

// args returns the arguments of go build, without the output.
func (t Tool) args() []string {
	var flags strings.Builder
	flags.WriteString("-s -w")
	for _, s := range t.Stamps {
		fmt.Fprintf(&flags, " -X %s", s)
	}
	args := []string{"-buildvcs=false", "-ldflags=" + flags.String()}
	if t.Tags != "" {
		args = append(args, "-tags="+t.Tags)
	}
	return append(args, t.Package)
}
