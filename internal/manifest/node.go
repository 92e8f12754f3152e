package manifest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	oldyaml "go.yaml.in/yaml/v2"
	"go.yaml.in/yaml/v3"
)

// node is a value of a document and the path to it. Its value is nil when it is
// absent or null, which means the same to Kubernetes.
type node struct {
	path  string
	value *yaml.Node
}

// reader reads the values of one object and collects what is wrong with them.
type reader struct {
	file string
	// above is how many lines of the file come before the document.
	above  int
	places places
	faults []Fault
}

func (r *reader) at(n *yaml.Node) Position {
	return Position{File: r.file, Line: r.above + n.Line, Column: n.Column}
}

func (r *reader) fail(n node, format string, args ...any) {
	r.faults = append(r.faults, Fault{Position: r.places.find(n.path), Problem: n.path + ": " + fmt.Sprintf(format, args...)})
}

// fields are the entries of a mapping. Those that are not there are absent nodes.
type fields struct {
	path   string
	byName map[string]node
	names  []string
}

func (f fields) get(name string) node {
	if n, ok := f.byName[name]; ok {
		return n
	}
	return node{path: join(f.path, name)}
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }

// mapping returns the entries of a mapping; none when it is absent.
func (r *reader) mapping(n node) fields {
	f := fields{path: n.path, byName: map[string]node{}}
	if n.value == nil {
		return f
	}
	if n.value.Kind != yaml.MappingNode {
		r.fail(n, "must be a mapping, not %s", describe(n.value))
		return f
	}
	r.merge(&f, n.value, map[*yaml.Node]bool{})
	return f
}

// merge adds the entries of a mapping, and of those merged into it with <<, that
// are not there yet.
func (r *reader) merge(f *fields, mapping *yaml.Node, seen map[*yaml.Node]bool) {
	if mapping.Kind != yaml.MappingNode || seen[mapping] {
		return
	}
	seen[mapping] = true
	own := map[string]bool{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := resolve(mapping.Content[i]), resolve(mapping.Content[i+1])
		path := join(f.path, key.Value)
		switch {
		case key.Kind != yaml.ScalarNode:
			continue
		case key.ShortTag() == "!!merge":
			merged = append(merged, value)
			continue
		case own[key.Value]:
			r.faults = append(r.faults, Fault{Position: r.at(key), Problem: path + ": is there twice: keep one"})
			continue
		}
		own[key.Value] = true
		if _, ok := f.byName[key.Value]; ok {
			continue
		}
		f.byName[key.Value] = node{path: path, value: present(value)}
		f.names = append(f.names, key.Value)
		r.places[path] = r.at(mapping.Content[i])
	}
	for _, m := range merged {
		r.merge(f, m, seen)
		if m.Kind == yaml.SequenceNode {
			for _, each := range m.Content {
				r.merge(f, resolve(each), seen)
			}
		}
	}
}

// resolve returns what an alias stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// present returns what an alias stands for, and nil for null.
func present(n *yaml.Node) *yaml.Node {
	if n = resolve(n); n.ShortTag() == "!!null" {
		return nil
	}
	return n
}

// list returns the elements of a list; none when it is absent.
func (r *reader) list(n node) []node {
	if n.value == nil {
		return nil
	}
	if n.value.Kind != yaml.SequenceNode {
		r.fail(n, "must be a list, not %s", describe(n.value))
		return nil
	}
	all := make([]node, len(n.value.Content))
	for i, element := range n.value.Content {
		path := n.path + "[" + strconv.Itoa(i) + "]"
		all[i] = node{path: path, value: present(element)}
		r.places[path] = r.at(element)
	}
	return all
}

// text returns a string, empty when it is absent.
func (r *reader) text(n node) string {
	if n.value == nil {
		return ""
	}
	if n.value.Kind != yaml.ScalarNode {
		r.fail(n, "must be a string, not %s", describe(n.value))
		return ""
	}
	if !isString(n.value) {
		r.fail(n, "must be a string: write it in quotes, %q", n.value.Value)
	}
	return n.value.Value
}

// isString reports whether kubectl takes a scalar for a string. It reads YAML 1.1,
// in which a bare yes, on or 1:30 is none.
func isString(n *yaml.Node) bool {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0 {
		return n.ShortTag() == "!!str"
	}
	var value any
	if err := oldyaml.Unmarshal([]byte(n.Value), &value); err != nil {
		return true
	}
	_, ok := value.(string)
	return ok
}

// choice returns one of some words; the first one when it is absent.
func (r *reader) choice(n node, words ...string) string {
	word := r.text(n)
	switch {
	case n.value == nil:
		return words[0]
	case !slices.Contains(words, word):
		r.fail(n, "must be one of %s, not %q", strings.Join(words, ", "), word)
		return words[0]
	}
	return word
}

// integer returns a whole number of at least low, or otherwise when it is absent
// or none.
func (r *reader) integer(n node, low, otherwise int) int {
	if n.value == nil {
		return otherwise
	}
	var i int32
	if n.value.ShortTag() != "!!int" || n.value.Decode(&i) != nil || int(i) < low {
		r.fail(n, "must be a whole number from %d, not %s", low, describe(n.value))
		return otherwise
	}
	return int(i)
}

// boolean returns a bool, false when it is absent.
func (r *reader) boolean(n node) bool {
	var b bool
	if n.value != nil && n.value.Decode(&b) != nil {
		r.fail(n, "must be true or false, not %s", describe(n.value))
	}
	return b
}

// require says that a value must be there.
func (r *reader) require(n node) {
	if n.value == nil {
		r.fail(n, "is required")
	}
}

// requireText says that a string must be there and not be empty.
func (r *reader) requireText(n node) {
	if n.value == nil || n.value.Kind == yaml.ScalarNode && n.value.Value == "" {
		r.fail(n, "is required")
	}
}

// describe names a value in a message.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return strconv.Quote(n.Value)
	}
}
