package manifest

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Stdin is the path that stands for the standard input.
const Stdin = "-"

// Files reads what paths name, as kubectl's -f does: files, the .yaml, .yml and
// .json files in directories (and below them when recursive), globs, and "-" for
// stdin. The order is that of the paths, then of the names.
func Files(paths []string, stdin io.Reader, recursive bool) ([]*File, error) {
	var all []*File
	for _, path := range paths {
		if path == Stdin {
			f, err := Read("stdin", stdin)
			if err != nil {
				return nil, err
			}
			all = append(all, f)
			continue
		}
		names, err := expand(path, recursive)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			f, err := readFile(name)
			if err != nil {
				return nil, err
			}
			all = append(all, f)
		}
	}
	return all, nil
}

func readFile(name string) (*File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Read(name, file)
}

// expand returns the files that a path names.
func expand(path string, recursive bool) ([]string, error) {
	matches := []string{path}
	if _, err := os.Stat(path); err != nil {
		if !strings.ContainsAny(path, "*?[") {
			return nil, err
		}
		if matches, err = filepath.Glob(path); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	var names []string
	for _, match := range matches {
		found, err := below(match, recursive)
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no .yaml, .yml or .json file", path)
	}
	return names, nil
}

// below returns a file, or the manifests in a directory.
func below(root string, recursive bool) ([]string, error) {
	info, err := os.Stat(root)
	if err != nil || !info.IsDir() {
		return []string{root}, err
	}
	// The separator makes WalkDir follow a link to a directory.
	root = filepath.Clean(root) + string(filepath.Separator)
	var names []string
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && !recursive:
			return filepath.SkipDir
		case d.IsDir():
		case slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			names = append(names, path)
		}
		return nil
	})
	return names, err
}
