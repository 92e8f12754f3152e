package trigger

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Reference returns the table of keys as Markdown.
func Reference() string {
	var b strings.Builder
	b.WriteString("| key | value | default | meaning |\n| --- | --- | --- | --- |\n")
	for _, k := range Keys() {
		value := string(k.Kind)
		if len(k.Choices) > 0 {
			value = "`" + strings.Join(k.Choices, "`, `") + "`"
		}
		def := k.Default
		if k.Literal {
			def = "`" + def + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Name, value, def, strings.ReplaceAll(k.Doc, "|", "\\|"))
	}
	return b.String()
}

// schemaProperty is one property of the JSON schema.
type schemaProperty struct {
	Type        string   `json:"type"`
	Description string   `json:"description"`
	Default     string   `json:"default,omitempty"`
	Enum        []string `json:"enum,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
}

// Schema returns a JSON schema of the metadata, indented.
func Schema() ([]byte, error) {
	patterns := map[Kind]string{
		Ratio:    `^\s*\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$`,
		Number:   `^\s*\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$`,
		Duration: `^\s*\+?([0-9.]+([a-zµ]+)?)+([eE][-+]?[0-9]+)?\s*$`,
		Name:     `\S`,
		PromQL:   `\S`,
	}
	properties := map[string]schemaProperty{}
	for _, k := range Keys() {
		p := schemaProperty{
			Type: "string", Description: strings.ReplaceAll(k.Doc, "`", ""),
			Enum: k.Choices, Pattern: patterns[k.Kind],
		}
		if k.Literal {
			p.Default = k.Default
		}
		properties[k.Name] = p
		properties[k.Name+fromEnv] = schemaProperty{
			Type: "string", Description: "The name of an environment variable of the workers that holds " + k.Name + ".",
		}
	}
	out, err := json.MarshalIndent(map[string]any{
		"$schema":              "https://json-schema.org/draft/2020-12/schema",
		"title":                "zmy-scaler trigger metadata",
		"type":                 "object",
		"properties":           properties,
		"additionalProperties": false,
		"anyOf": []map[string]any{
			{"required": []string{"zmyQuery"}},
			{"required": []string{"zmyQuery" + fromEnv}},
		},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("json schema: %w", err)
	}
	return append(out, '\n'), nil
}
