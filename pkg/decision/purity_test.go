package decision_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestPurity keeps clocks, I/O and shared state out of the control law: the
// same inputs must give the same decision for ever.
func TestPurity(t *testing.T) {
	t.Parallel()
	const module = "github.com/infra-arch/zmy-scaler/pkg/"
	banned := []string{"context", "io", "log", "net", "os", "sync", "syscall", "unsafe", "math/rand", "crypto", "runtime"}
	clocks := []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "Tick", "NewTimer", "NewTicker"}

	for _, dir := range []string{".", "../zmy"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) < 3 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range f.Imports {
				path, _ := strconv.Unquote(spec.Path.Value)
				ours := path == module+"zmy" || path == module+"decision"
				if !ours && strings.Contains(path, ".") {
					t.Errorf("%s imports %s: only the standard library may be", file, path)
				}
				if slices.ContainsFunc(banned, func(b string) bool { return path == b || strings.HasPrefix(path, b+"/") }) {
					t.Errorf("%s imports %s", file, path)
				}
			}
			ast.Inspect(f, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(clocks, sel.Sel.Name) {
					t.Errorf("%s uses time.%s", file, sel.Sel.Name)
				}
				return true
			})
			for _, decl := range f.Decls {
				if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
					for _, spec := range g.Specs {
						checkVar(t, file, spec.(*ast.ValueSpec))
					}
				}
			}
		}
	}
}

// checkVar admits package-level variables that nothing assigns to: errors and
// tables.
func checkVar(t *testing.T, file string, v *ast.ValueSpec) {
	t.Helper()
	for _, name := range v.Names {
		if !strings.HasPrefix(name.Name, "Err") && name.Name != "reasons" {
			t.Errorf("%s holds the variable %s", file, name.Name)
		}
	}
}
