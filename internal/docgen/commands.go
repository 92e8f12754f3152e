package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// commandsPage is the reference of the command line: what the binary says of
// itself.
func commandsPage(ctx context.Context, root string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "docgen")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "scaler")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "./cmd/scaler")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the scaler: %w\n%s", err, out)
	}
	help := func(command ...string) (string, error) {
		out, err := exec.CommandContext(ctx, binary, append(command, "--help")...).Output()
		return string(out), err
	}
	all, err := help()
	if err != nil {
		return nil, fmt.Errorf("scaler --help: %w", err)
	}
	var b bytes.Buffer
	b.WriteString(markdownNote + "# Commands\n\n" +
		"What `scaler COMMAND --help` prints. Every flag has an environment variable: `--grpc-address` is `ZMY_GRPC_ADDRESS`; " +
		"a flag that is given wins. Exit codes: 0 clean, 1 failure, 2 usage.\n")
	for _, name := range subcommands(all) {
		text, err := help(name)
		if err != nil {
			return nil, fmt.Errorf("scaler %s --help: %w", name, err)
		}
		fmt.Fprintf(&b, "\n## scaler %s\n\n```text\n%s\n```\n", name, strings.TrimSpace(text))
	}
	return b.Bytes(), nil
}

// subcommands reads the names of the project's own commands from the help.
func subcommands(help string) []string {
	var names []string
	_, list, _ := strings.Cut(help, "Available Commands:\n")
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			break
		}
		if fields[0] != "help" && fields[0] != "completion" {
			names = append(names, fields[0])
		}
	}
	return names
}
