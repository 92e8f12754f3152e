// Command docgen writes the documents and manifests that are made from the
// code's own tables, and checks that the other documents name only what exists.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("docgen", flag.ContinueOnError)
	flags.SetOutput(stdout)
	root := flags.String("root", ".", "the root of the repository, to read from")
	out := flags.String("out", "", "write the generated files below this directory, which is laid out as the root is")
	check := flags.String("check", "", "check the documents below this root instead")
	if err := flags.Parse(args); err != nil {
		return err
	}
	switch {
	case *check != "":
		return checkNames(*check)
	case *out != "":
		return write(ctx, *root, *out)
	}
	return errors.New("give -out or -check")
}

// write writes every generated file below out.
func write(ctx context.Context, root, out string) error {
	docs, err := documents(ctx, root)
	if err != nil {
		return err
	}
	for _, d := range docs {
		file := filepath.Join(out, filepath.FromSlash(d.path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, d.content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
