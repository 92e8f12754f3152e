package node

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/infra-arch/zmy-scaler/e2e/internal/isolate"
)

// Supported returns an error with every reason why there can be no node on this
// machine.
func Supported() error {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("this is %s/%s, and the node is made of Debian's packages for amd64", runtime.GOOS, runtime.GOARCH)
	}
	release, err := os.ReadFile("/etc/os-release")
	errs := []error{err, debian(string(release)), commands()}
	mounted, err := isolate.Hierarchies()
	errs = append(errs, err, hierarchies(mounted["cgroup"]), overlay())
	if os.Geteuid() != 0 {
		errs = append(errs, errors.New("a node needs root"))
	} else {
		errs = append(errs, network())
	}
	return errors.Join(errs...)
}

// debian reports whether Debian's packages fit this machine, from its os-release.
func debian(release string) error {
	if !slices.Contains(strings.Split(release, "\n"), "ID=debian") {
		return errors.New("this is not Debian, and the node is made of its packages")
	}
	return nil
}

// commands reports whether the commands are there that the packages are fetched
// with, and that the kubelet mounts with.
func commands() error {
	var errs []error
	for _, command := range []string{"apt-get", "dpkg", "mount"} {
		if _, err := exec.LookPath(command); err != nil {
			errs = append(errs, fmt.Errorf("a node needs the command %s", command))
		}
	}
	return errors.Join(errs...)
}

// hierarchies reports whether control groups are as the node knows them, from where
// those of version 1 are mounted.
func hierarchies(mounted []string) error {
	var missing []string
	for _, controller := range []string{"cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids"} {
		if !slices.ContainsFunc(mounted, func(at string) bool {
			return slices.Contains(strings.Split(filepath.Base(at), ","), controller)
		}) {
			missing = append(missing, controller)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("a node needs control groups of version 1 and finds none for %s; "+
			"Linux is started with systemd.unified_cgroup_hierarchy=0 for them", strings.Join(missing, ", "))
	}
	return nil
}

// overlay reports whether the kernel has the file system that images are put
// together with.
func overlay() error {
	// Where it is a module, asking for it loads it.
	_ = unix.Mount("overlay", os.DevNull, "overlay", 0, "")
	known, err := os.ReadFile("/proc/filesystems")
	if err == nil && !bytes.Contains(known, []byte("\toverlay\n")) {
		err = errors.New("the kernel has no overlay file system")
	}
	return err
}

// network reports whether the kernel has what the network of pods is made of. It
// tries in a namespace that goes with the thread.
func network() error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: nobody else gets the thread
		result <- tryNetwork()
	}()
	return <-result
}

func tryNetwork() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("no namespace for a network: %w", err)
	}
	var errs []error
	for _, link := range []netlink.Link{
		&netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: "try0"}},
		&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "try1"}, PeerName: "try2"},
	} {
		if err := netlink.LinkAdd(link); err != nil {
			errs = append(errs, fmt.Errorf("the kernel makes no %s: %w", link.Type(), err))
		}
	}
	// The number of the rule set is the least that there is to ask nf_tables for.
	request := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN, 0)
	request.AddRawData([]byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, 0})
	if _, err := request.Execute(unix.NETLINK_NETFILTER, 0); err != nil {
		errs = append(errs, fmt.Errorf("the kernel has no nf_tables: %w", err))
	}
	return errors.Join(errs...)
}
