package manifest

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// File is what was found in one file.
type File struct {
	Name    string
	Objects []*ScaledObject
	// Skipped are documents that nothing was read from, and why. Kubernetes
	// objects of other kinds are not among them.
	Skipped []Fault
	// Broken is what is wrong with the file outside of objects: documents that
	// are no YAML, above all.
	Broken []Fault
}

// Read reads all documents of a file. The name is for the positions. The error is
// that of r; what is wrong with the documents stands in the result.
func Read(name string, r io.Reader) (*File, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	f := &File{Name: name}
	above := 0
	for _, doc := range split(text) {
		f.document(doc, above)
		above += bytes.Count(doc, []byte{'\n'})
	}
	return f, nil
}

// split cuts a file where documents begin, as kubectl does, so that one that is
// no YAML does not hide those after it.
func split(text []byte) [][]byte {
	var docs [][]byte
	begin := 0
	for at := 0; at < len(text); {
		end := len(text)
		if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		if rest, ok := bytes.CutPrefix(text[at:end], []byte("---")); ok && at > begin && (len(rest) == 0 || strings.ContainsRune(" \t\r\n", rune(rest[0]))) {
			docs = append(docs, text[begin:at])
			begin = at
		}
		at = end
	}
	return append(docs, text[begin:])
}

func (f *File) document(text []byte, above int) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		f.broken(text, above, err)
		return
	}
	if len(doc.Content) == 0 || present(doc.Content[0]) == nil {
		return // nothing but comments
	}
	f.object(doc.Content[0], above, true)
}

// broken records a document that is no YAML. Templates are not meant to be.
func (f *File) broken(text []byte, above int, err error) {
	at := Position{File: f.Name, Line: above + 1, Column: 1}
	problem := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := regexp.MustCompile(`^line (\d+): (.*)`).FindStringSubmatch(problem); m != nil {
		if line, err := strconv.Atoi(m[1]); err == nil {
			at.Line, problem = above+line, m[2]
		}
	}
	if bytes.Contains(text, []byte("{{")) {
		f.Skipped = append(f.Skipped, Fault{Position: at, Problem: "a template, not YAML: render it first, as helm template does"})
		return
	}
	f.Broken = append(f.Broken, Fault{Position: at, Problem: "no YAML: " + problem})
}

// object reads a ScaledObject, or those in a List.
func (f *File) object(n *yaml.Node, above int, lists bool) {
	r := &reader{file: f.Name, above: above, places: places{}}
	root := resolve(n)
	r.places[""] = r.at(n)
	if root.Kind != yaml.MappingNode {
		f.skip(r, "no Kubernetes object")
		return
	}
	top := r.mapping(node{value: root})
	kind, version := scalar(top.get("kind")), scalar(top.get("apiVersion"))
	list := strings.HasSuffix(kind, "List") && top.get("items").value != nil
	switch {
	case kind == "" || version == "":
		f.skip(r, "no Kubernetes object: it has no kind and apiVersion")
	case list && !lists:
		f.skip(r, "a List in a List")
	case list:
		for _, item := range r.list(top.get("items")) {
			if item.value != nil {
				f.object(item.value, above, false)
			}
		}
		f.Broken = append(f.Broken, r.faults...)
	case kind == "ScaledObject" && strings.HasPrefix(version, "keda.sh/"):
		f.Objects = append(f.Objects, r.scaledObject(top))
	}
}

func (f *File) skip(r *reader, why string) {
	f.Skipped = append(f.Skipped, Fault{Position: r.places[""], Problem: why})
}

// scalar returns the text of a scalar, empty for anything else.
func scalar(n node) string {
	if n.value == nil || n.value.Kind != yaml.ScalarNode {
		return ""
	}
	return n.value.Value
}
