package tools

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// packages are the packages of Debian with what runs containers and filters packets,
// and with the libraries that these need. Which versions they have is up to the
// Debian release of the machine.
const packages = "containerd runc containernetworking-plugins nftables " +
	"libnftables1 libnftnl11 libmnl0 libjansson4 libedit2 libxtables12 libgmp10 libbsd0 libmd0 libseccomp2"

// Packages returns the folder with Debian's packages for a node. They are fetched
// and extracted, not installed.
func (c Cache) Packages(ctx context.Context) (string, error) {
	unlock, err := c.lock(ctx)
	if err != nil {
		return "", err
	}
	defer unlock()
	release, err := os.ReadFile("/etc/debian_version")
	if err != nil {
		return "", fmt.Errorf("which Debian is this: %w", err)
	}
	sum := sha256.Sum256(append([]byte(packages), release...))
	dir := filepath.Join(c.Dir, "debian-"+hex.EncodeToString(sum[:])[:16])
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	fmt.Fprintf(c.Log, "fetch from Debian: %s\n", packages)
	half, fetched := dir+".half", dir+".deb"
	if err := errors.Join(os.RemoveAll(half), os.RemoveAll(fetched), os.MkdirAll(half, 0o755), os.MkdirAll(fetched, 0o755)); err != nil {
		return "", err
	}
	if err := run(ctx, fetched, "apt-get", append([]string{"-qq", "-o", "APT::Sandbox::User=root", "download"}, strings.Fields(packages)...)...); err != nil {
		return "", fmt.Errorf("%w\nif apt does not know the packages: apt-get update", err)
	}
	debs, err := filepath.Glob(filepath.Join(fetched, "*.deb"))
	if err != nil {
		return "", err
	}
	for _, deb := range debs {
		if err := run(ctx, half, "dpkg", "-x", deb, "."); err != nil {
			return "", err
		}
	}
	return dir, errors.Join(os.RemoveAll(fetched), os.Rename(half, dir))
}

// run runs a command in a folder.
func run(ctx context.Context, dir, command string, args ...string) error {
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir = dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", command, strings.Join(args, " "), err, out.String())
	}
	return nil
}
