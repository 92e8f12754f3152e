package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"b.yaml", "a.yml", "c.json", "d.txt", "sub/e.yaml", "sub/deep/f.yaml"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(plain), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "sub"), filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name      string
		paths     []string
		recursive bool
		want      []string
		wrong     string
	}{
		{name: "a file, whatever its name", paths: []string{"d.txt"}, want: []string{"d.txt"}},
		{name: "a directory", paths: []string{""}, want: []string{"a.yml", "b.yaml", "c.json"}},
		{name: "a directory and all below", paths: []string{""}, recursive: true, want: []string{"a.yml", "b.yaml", "c.json", "sub/deep/f.yaml", "sub/e.yaml"}},
		{name: "a link to a directory", paths: []string{"link"}, want: []string{"link/e.yaml"}},
		{name: "a glob", paths: []string{"*.y*ml"}, want: []string{"a.yml", "b.yaml"}},
		{name: "a glob of directories", paths: []string{"s*"}, want: []string{"sub/e.yaml"}},
		{name: "in the order given", paths: []string{"c.json", "a.yml"}, want: []string{"c.json", "a.yml"}},
		{name: "no such file", paths: []string{"g.yaml"}, wrong: "g.yaml"},
		{name: "a glob of nothing", paths: []string{"*.toml"}, wrong: "no .yaml"},
		{name: "a bad glob", paths: []string{"[*"}, wrong: "syntax error"},
		{name: "a directory of nothing", paths: []string{"sub/deep/../../none"}, wrong: "none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var paths []string
			for _, p := range tt.paths {
				paths = append(paths, filepath.Join(dir, p))
			}
			files, err := Files(paths, strings.NewReader(""), tt.recursive)
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("got %v, want a word about %q", err, tt.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range files {
				name, err := filepath.Rel(dir, f.Name)
				if err != nil || len(f.Objects) != 1 {
					t.Errorf("%s: %d objects, %v", f.Name, len(f.Objects), err)
				}
				got = append(got, filepath.ToSlash(name))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStdin(t *testing.T) {
	t.Parallel()
	files, err := Files([]string{"-"}, strings.NewReader(plain), false)
	if err != nil || len(files) != 1 || len(files[0].Objects) != 1 || files[0].Objects[0].Where("").String() != "stdin:1:1" {
		t.Errorf("got %+v, %v", files, err)
	}
}
