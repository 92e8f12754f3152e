package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/infra-arch/zmy-scaler/e2e/cluster/kube"
	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
)

const (
	// name is the node's, address where it is reached.
	name    = "node-0"
	address = "10.99.0.1"
	// pods are the addresses of pods, dns is the Service of the name server.
	pods = "10.88.0.0/16"
	dns  = "10.96.0.10"
)

// resolv has programs look up names as pods do.
const resolv = "nameserver " + address + "\nsearch svc.cluster.local cluster.local\noptions ndots:5 timeout:1\n"

// ground makes what the node stands on: mounts, control groups and a network that
// are its own.
func (n *Node) ground(context.Context) error {
	if err := isolate.Prepare(n.o.Dir, resolv); err != nil {
		return err
	}
	// A namespace of processes has its own /proc.
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := isolate.EnterGroups(n.o.Dir); err != nil {
		return err
	}
	if err := n.overlays(); err != nil {
		return err
	}
	// Volumes that the kubelet mounts must be seen in containers.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, ""); err != nil {
		return fmt.Errorf("share mounts: %w", err)
	}
	return bridge()
}

// overlays makes those directories writable without a trace that containerd, CNI
// and the kubelet write to wherever they are told to write. What a container engine
// of the machine's own keeps there is hidden from them.
func (n *Node) overlays() error {
	for _, dir := range []string{"/run", "/var/lib", "/var/log"} {
		upper, work := n.Path("over", dir, "upper"), n.Path("over", dir, "work")
		if err := errors.Join(os.MkdirAll(upper, 0o755), os.MkdirAll(work, 0o755)); err != nil {
			return err
		}
		options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", dir, upper, work)
		if err := unix.Mount("overlay", dir, "overlay", 0, options); err != nil {
			return fmt.Errorf("mount over %s: %w", dir, err)
		}
	}
	for _, dir := range []string{"/run/containerd", "/run/netns", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers"} {
		empty := n.Path("own", dir)
		if err := errors.Join(os.MkdirAll(empty, 0o755), os.MkdirAll(dir, 0o755)); err != nil {
			return err
		}
		if err := unix.Mount(empty, dir, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount over %s: %w", dir, err)
		}
	}
	return nil
}

// bridge makes the interface with the node's address. It also has the route to
// Services: packets of this machine's to them need some way out on which kube-proxy
// can redirect them.
func bridge() error {
	link := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "node0"}}
	if err := netlink.LinkAdd(link); err != nil {
		return fmt.Errorf("a bridge: %w", err)
	}
	ip := net.ParseIP(address)
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: &net.IPNet{IP: ip, Mask: net.CIDRMask(24, 32)}}); err != nil {
		return fmt.Errorf("the node's address: %w", err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("bridge up: %w", err)
	}
	_, to, err := net.ParseCIDR(kube.Services)
	if err != nil {
		return err
	}
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: link.Attrs().Index, Dst: to, Src: ip}); err != nil {
		return fmt.Errorf("the route to Services: %w", err)
	}
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644)
}
