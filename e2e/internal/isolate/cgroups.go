package isolate

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Hierarchies returns where the hierarchies of control groups are mounted, by type:
// cgroup or cgroup2.
func Hierarchies() (map[string][]string, error) {
	mounts, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer mounts.Close()
	found := map[string][]string{}
	lines := bufio.NewScanner(mounts)
	for lines.Scan() {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		fields := strings.Fields(before)
		kind, _, _ := strings.Cut(after, " ")
		if len(fields) > 4 && (kind == "cgroup" || kind == "cgroup2") {
			found[kind] = append(found[kind], fields[4])
		}
	}
	return found, lines.Err()
}

// groups returns the control group of an inner run in each hierarchy. All have the
// name of its directory.
func groups(dir string) ([]string, error) {
	hierarchies, err := Hierarchies()
	if err != nil {
		return nil, err
	}
	var all []string
	for _, mounted := range slices.Concat(hierarchies["cgroup"], hierarchies["cgroup2"]) {
		all = append(all, filepath.Join(mounted, filepath.Base(dir)))
	}
	return all, nil
}

// EnterGroups puts this process into control groups of its own, which become the
// roots of all hierarchies as they are mounted here. What it starts can make groups
// below them only.
func EnterGroups(dir string) error {
	all, err := groups(dir)
	if err != nil {
		return err
	}
	for _, group := range all {
		if err := enterGroup(group); err != nil {
			return fmt.Errorf("control group %s: %w", group, err)
		}
	}
	return nil
}

func enterGroup(group string) error {
	if err := os.MkdirAll(group, 0o755); err != nil {
		return err
	}
	for _, file := range []string{"cpuset.cpus", "cpuset.mems"} { // empty at first, which lets nothing in
		text, err := os.ReadFile(filepath.Join(filepath.Dir(group), file))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(group, file), text, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		return err
	}
	return unix.Mount(group, filepath.Dir(group), "", unix.MS_BIND, "")
}

// removeGroups removes the control groups of an inner run that has ended.
func removeGroups(dir string) error {
	all, err := groups(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, group := range all {
		var below []string
		err := filepath.WalkDir(group, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				below = append(below, path)
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for _, path := range slices.Backward(below) {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
