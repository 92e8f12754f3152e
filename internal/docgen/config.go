package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/infra-arch/zmy-scaler/internal/config"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// comments holds what the source says about types and their fields.
type comments struct {
	types  map[string]string
	fields map[[2]string]string
}

// readComments reads the comments of all structs in the packages at dirs.
func readComments(dirs ...string) (comments, error) {
	c := comments{types: map[string]string{}, fields: map[[2]string]string{}}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			return c, fmt.Errorf("no Go files in %q", dir)
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			if err != nil {
				return c, err
			}
			c.take(parsed)
		}
	}
	return c, nil
}

func (c comments) take(file *ast.File) {
	for _, decl := range file.Decls {
		general, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range general.Specs {
			named, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			structure, ok := named.Type.(*ast.StructType)
			if !ok {
				continue
			}
			c.types[named.Name.Name] = oneLine(general.Doc)
			for _, field := range structure.Fields.List {
				for _, name := range field.Names {
					c.fields[[2]string{named.Name.Name, name.Name}] = oneLine(field.Doc)
				}
			}
		}
	}
}

func oneLine(doc *ast.CommentGroup) string {
	return strings.Join(strings.Fields(doc.Text()), " ")
}

// configPage is the reference of the configuration file: keys and defaults from
// the values that reading starts with, meanings from the comments of the code.
func configPage(root string) ([]byte, error) {
	c, err := readComments(filepath.Join(root, "internal", "config"), filepath.Join(root, "pkg", "promquery"))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(markdownNote + "# Configuration file\n\n" +
		"Strict YAML, given to `scaler serve` by `--config`: an unknown key is an error that names its line. " +
		"Relative file names are taken from where the file lies. " +
		"A complete example with comments: [config/scaler.yaml](../../config/scaler.yaml).\n\n" +
		"| key | default | meaning |\n| --- | --- | --- |\n")
	page := configTable{out: &b, comments: c}
	page.rows("", reflect.ValueOf(config.Default()))
	page.rows("sources[].", reflect.ValueOf(promquery.NewSourceConfig("", "")))
	b.WriteString("\nThe keys under `sources[].http` are those of Prometheus's own clients: `basic_auth`, `authorization`, `oauth2`, `tls_config`, `proxy_url`, `http_headers`, `follow_redirects`, `enable_http2`. Secrets go into files (`password_file`, `credentials_file`, `client_secret_file`), which are read again while the scaler runs.\n")
	return b.Bytes(), page.err
}

type configTable struct {
	out      *bytes.Buffer
	comments comments
	err      error
}

// rows writes a row for each key of a struct and of the structs in it.
func (t *configTable) rows(prefix string, v reflect.Value) {
	typ := v.Type()
	for i := range typ.NumField() {
		field := typ.Field(i)
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if key == "" || key == "-" {
			t.err = fmt.Errorf("%s.%s has no yaml key", typ.Name(), field.Name)
			return
		}
		value := v.Field(i)
		_, ends := reflect.TypeAssert[promconfig.HTTPClientConfig](value)
		switch {
		case field.Type.Kind() == reflect.Struct && !ends:
			t.rows(prefix+key+".", value)
			continue
		case field.Type == reflect.TypeFor[[]promquery.SourceConfig]():
			continue // has rows of its own
		}
		doc := t.comments.fields[[2]string{typ.Name(), field.Name}]
		if doc == "" {
			doc = t.comments.types[typ.Name()]
		}
		// Comments begin with the name that Go has for it.
		doc = strings.Replace(doc, field.Name+" ", "`"+key+"` ", 1)
		fmt.Fprintf(t.out, "| `%s` | %s | %s |\n", prefix+key, defaultOf(value), strings.ReplaceAll(doc, "|", "\\|"))
	}
}

// configKeys returns the keys of a configuration and of the structs in it.
func configKeys(v any) []string {
	t := configTable{out: &bytes.Buffer{}}
	t.rows("", reflect.ValueOf(v))
	var keys []string
	for _, m := range regexp.MustCompile("`([^` ]+)` \\|").FindAllStringSubmatch(t.out.String(), -1) {
		parts := strings.Split(m[1], ".")
		keys = append(keys, parts[len(parts)-1])
	}
	return keys
}

func defaultOf(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case promconfig.HTTPClientConfig:
		return "no authentication"
	case model.Duration:
		return "`" + x.String() + "`"
	case []string:
		if len(x) == 0 {
			return "`[]`"
		}
		return "`[" + quoted(x) + "]`"
	case string:
		return fmt.Sprintf("`%q`", x)
	}
	return fmt.Sprintf("`%v`", v.Interface())
}

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(out, ", ")
}
