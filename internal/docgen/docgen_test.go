package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infra-arch/zmy-scaler/internal/config"
)

// root is the repository, seen from this package.
const root = "../.."

func TestGeneratedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	if err := run(t.Context(), []string{"-root", root, "-out", out}, t.Output()); err != nil {
		t.Fatal(err)
	}
	docs, err := documents(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		written, err := os.ReadFile(filepath.Join(out, d.path))
		if err != nil || !bytes.Equal(written, d.content) {
			t.Errorf("%s: written %d bytes, generated %d, %v", d.path, len(written), len(d.content), err)
		}
		committed, err := os.ReadFile(filepath.Join(root, d.path))
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(string(committed), string(d.content)); diff != "" {
			t.Errorf("%s is out of date, run make update-docs (-committed +generated):\n%s", d.path, diff)
		}
	}
}

func TestDocumentsNameOnlyWhatExists(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), []string{"-check", root}, t.Output()); err != nil {
		t.Error(err)
	}
}

func TestCheckFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"Makefile": "test: ## Test\n",
		"ok.md": "# One heading: yes\n\n[here](#one-heading-yes), [there](ok.md#one-heading-yes), [away](https://example.com/x#y), " +
			"`make test`, `make verify-*`, `ok/ok.md`, `zmyQuery`, `zmyQueryFromEnv`, `stale_data`, `scale_up`, `zmy_scaler_active`\n\n```\n`noSuchKey` in a block\n```\n",
		"bad.md": "[a](gone.md) [b](ok.md#no-such-heading) `make gone` `docs/gone.md` `--gone` `zmyQuerry` `stale_date` zmy_scaler_gone_total\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := run(t.Context(), []string{"-check", dir}, t.Output())
	if err == nil {
		t.Fatal("nothing was found")
	}
	want := []string{
		`bad.md: links to "gone.md", which is not there`,
		`bad.md: links to "ok.md#no-such-heading", which has no such heading`,
		`bad.md: names the metric "zmy_scaler_gone_total", which is not there`,
		`bad.md: names the target "gone", which is not in the Makefile`,
		`bad.md: names the file "docs/gone.md", which is not there`,
		`bad.md: names the flag "gone", which no command has`,
		`bad.md: names "zmyQuerry", which is no key, band, reason or metric`,
		`bad.md: names "stale_date", which is no key, band, reason or metric`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestSampleConfigurationIsValid(t *testing.T) {
	t.Parallel()
	c, err := config.Load(filepath.Join(root, "config", "scaler.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{name: "nothing to do", want: "give -out or -check"},
		{name: "an unknown flag", args: []string{"-outt", "x"}, want: "flag provided but not defined"},
		{name: "not a repository", args: []string{"-root", t.TempDir(), "-out", t.TempDir()}, want: "no Go files"},
		{name: "no Makefile", args: []string{"-check", t.TempDir()}, want: "Makefile"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := run(t.Context(), tt.args, t.Output())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
