package isolate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Net is the network of an inner run: loopback, and the names given to addresses
// on it. All of 127.0.0.0/8 is loopback, so that every program can have an address
// and the usual port.
type Net struct {
	names *names

	mu   sync.Mutex
	last int
}

// Enter sets up the network of the inner run, with a name server.
func Enter(dir string) (*Net, error) {
	if err := Prepare(dir, "nameserver 127.0.0.1\noptions timeout:1\n"); err != nil {
		return nil, err
	}
	served, err := serveNames()
	if err != nil {
		return nil, fmt.Errorf("the name server: %w", err)
	}
	return &Net{names: served}, nil
}

// Prepare sets up loopback and mounts of the inner run's own. Names are looked up
// as resolv says, in the words of resolv.conf. Outside it would change the machine,
// and refuses.
func Prepare(dir, resolv string) error {
	if os.Getenv(variable) != dir {
		return errors.New("this is no inner run with that directory: begin with Run or Session")
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mounts of our own: %w", err)
	}
	for file, text := range map[string]string{
		"hosts":       "127.0.0.1 localhost\n::1 localhost\n",
		"resolv.conf": resolv,
	} {
		own := filepath.Join(dir, file)
		if err := os.WriteFile(own, []byte(text), 0o644); err != nil {
			return err
		}
		if err := unix.Mount(own, "/etc/"+file, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount over /etc/%s: %w", file, err)
		}
	}
	return nil
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
func (n *Net) Name(name string, addresses ...string) error { return n.names.set(name, addresses) }
