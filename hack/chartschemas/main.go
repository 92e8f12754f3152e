// Command chartschemas writes JSON schemas for kubeconform: of Kubernetes' own
// kinds from its OpenAPI document, and of KEDA's from its CRDs. Both lie in Go
// modules, so that nothing is downloaded but those.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

type object = map[string]any

const prefix = "#/definitions/"

func main() {
	swagger := flag.String("swagger", "", "Kubernetes' OpenAPI document, version 2")
	crds := flag.String("crds", "", "directory with CRDs, in YAML")
	out := flag.String("out", "", "directory to write to")
	flag.Parse()
	if err := run(*swagger, *crds, *out); err != nil {
		fmt.Fprintln(os.Stderr, "chartschemas:", err)
		os.Exit(1)
	}
}

func run(swagger, crds, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := kubernetes(swagger, out); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(crds, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no CRDs in %q", crds)
	}
	for _, file := range files {
		if err := custom(file, out); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// kubernetes writes a schema for each kind that has a group and a version. Each
// file holds all definitions that its kind needs.
func kubernetes(swagger, out string) error {
	content, err := os.ReadFile(swagger)
	if err != nil {
		return err
	}
	var doc struct {
		Definitions map[string]object `json:"definitions"`
	}
	if err := json.Unmarshal(content, &doc); err != nil {
		return err
	}
	for name, d := range doc.Definitions {
		closed(d)
		// These two are strings there and may be numbers as well.
		if strings.HasSuffix(name, ".IntOrString") || strings.HasSuffix(name, ".Quantity") {
			doc.Definitions[name] = object{"type": []string{"string", "number"}}
		}
	}
	for name, d := range doc.Definitions {
		kinds, _ := d["x-kubernetes-group-version-kind"].([]any)
		if len(kinds) != 1 {
			continue
		}
		gvk, _ := kinds[0].(object)
		needed := map[string]object{}
		need(doc.Definitions, name, needed)
		schema := object{"$ref": prefix + name, "definitions": needed}
		if err := write(out, gvk["group"].(string), gvk["version"].(string), gvk["kind"].(string), schema); err != nil {
			return err
		}
	}
	return nil
}

// closed lets a definition have no other properties than those it tells of.
func closed(d object) {
	if _, ok := d["properties"]; ok && d["additionalProperties"] == nil {
		d["additionalProperties"] = false
	}
}

// need collects a definition and what it refers to.
func need(all map[string]object, name string, needed map[string]object) {
	if _, ok := needed[name]; ok {
		return
	}
	needed[name] = all[name]
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case object:
			if ref, ok := v["$ref"].(string); ok {
				need(all, strings.TrimPrefix(ref, prefix), needed)
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(any(all[name]))
}

// custom writes the schemas of a CRD.
func custom(file, out string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var crd struct {
		Spec struct {
			Group string
			Names struct{ Kind string }

			Versions []struct {
				Name   string
				Schema struct {
					OpenAPI object `yaml:"openAPIV3Schema"`
				}
			}
		}
	}
	if err := yaml.Unmarshal(content, &crd); err != nil {
		return err
	}
	for _, v := range crd.Spec.Versions {
		closedAll(v.Schema.OpenAPI)
		if err := write(out, crd.Spec.Group, v.Name, crd.Spec.Names.Kind, v.Schema.OpenAPI); err != nil {
			return err
		}
	}
	return nil
}

func closedAll(v any) {
	switch v := v.(type) {
	case object:
		if _, ok := v["properties"].(object); ok && v["type"] == "object" {
			closed(v)
		}
		if v["x-kubernetes-int-or-string"] == true {
			delete(v, "anyOf")
			v["type"] = []string{"string", "number"}
		}
		for _, x := range v {
			closedAll(x)
		}
	case []any:
		for _, x := range v {
			closedAll(x)
		}
	}
}

// write writes a schema under the name that kubeconform looks for: the kind, the
// first word of the group, and the version.
func write(out, group, version, kind string, schema object) error {
	content, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	group, _, _ = strings.Cut(group, ".")
	words := slices.DeleteFunc([]string{kind, group, version}, func(w string) bool { return w == "" })
	return os.WriteFile(filepath.Join(out, strings.ToLower(strings.Join(words, "-"))+".json"), content, 0o644)
}
