package isolate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Net is the network of an inner run: loopback, and the names given to addresses
// on it. All of 127.0.0.0/8 is loopback, so that every program can have an address
// and the usual port.
type Net struct {
	mu    sync.Mutex
	hosts string // the file
	names map[string][]string
	last  int
}

// Enter sets up the network of the inner run.
func Enter(dir string) (*Net, error) {
	if err := loopbackUp(); err != nil {
		return nil, fmt.Errorf("loopback: %w", err)
	}
	n := &Net{hosts: filepath.Join(dir, "hosts"), names: map[string][]string{}}
	if err := n.write(); err != nil {
		return nil, err
	}
	// There is no name server; asking for one must fail at once.
	resolv := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(resolv, []byte("nameserver 127.0.0.1\noptions attempts:1 timeout:1\n"), 0o644); err != nil {
		return nil, err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return nil, fmt.Errorf("mounts of our own: %w", err)
	}
	for from, to := range map[string]string{n.hosts: "/etc/hosts", resolv: "/etc/resolv.conf"} {
		if err := unix.Mount(from, to, "", unix.MS_BIND, ""); err != nil {
			return nil, fmt.Errorf("mount over %s: %w", to, err)
		}
	}
	return n, nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING | unix.IFF_LOOPBACK)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil && !errors.Is(err, syscall.EALREADY) {
		return err
	}
	return nil
}

// Address returns an address that nobody has yet.
func (n *Net) Address() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last++
	return fmt.Sprintf("127.1.%d.%d", n.last/250, n.last%250+1)
}

// Name makes the addresses the ones behind a name, as those of the ready pods of a
// headless Service are. Without addresses the name is gone.
func (n *Net) Name(name string, addresses ...string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(addresses) == 0 {
		delete(n.names, name)
	} else {
		n.names[name] = addresses
	}
	return n.write()
}

// size is that of the file with the names. It never changes, so that one write
// replaces all of it and no reader finds half of it.
const size = 64 << 10

// write writes the file in place, because it is mounted.
func (n *Net) write() error {
	lines := []string{}
	for name, addresses := range n.names {
		for _, a := range addresses {
			lines = append(lines, a+" "+name)
		}
	}
	slices.Sort(lines)
	lines = append([]string{"127.0.0.1 localhost", "::1 localhost"}, lines...)
	text := strings.Join(lines, "\n") + "\n"
	if len(text) > size {
		return fmt.Errorf("%d names are too many", len(n.names))
	}
	f, err := os.OpenFile(n.hosts, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text + strings.Repeat("\n", size-len(text)))
	return errors.Join(err, f.Close())
}
