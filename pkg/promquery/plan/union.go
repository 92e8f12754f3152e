package plan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// pack puts parts into unions. Small parts come first, so that they share a union
// with many.
func pack(parts []part, limits Limits) []Batch {
	slices.SortFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.text, b.text))
	})
	var batches []Batch
	var u union
	for _, p := range parts {
		if p.alone {
			batches = append(batches, p.batch())
			continue
		}
		if !u.fits(p, limits) {
			batches = append(batches, u.batch())
			u = union{}
		}
		u.add(p)
	}
	if len(u.parts) > 0 {
		batches = append(batches, u.batch())
	}
	return batches
}

// union is one batch in the making.
type union struct {
	parts       []part
	size, bytes int
}

func (u *union) fits(p part, limits Limits) bool {
	return len(u.parts) == 0 ||
		len(u.parts) < limits.Union &&
			u.size+p.size <= max(limits.Merge, limits.Union) &&
			u.bytes+tagged(p) <= limits.Bytes
}

func (u *union) add(p part) {
	u.parts = append(u.parts, p)
	u.size += p.size
	u.bytes += tagged(p)
}

// tagged is the most that a part adds to the text of a union.
func tagged(p part) int { return len(p.tag(1_000_000)) + len("() or ") }

// tag returns the part with the tag i or, if it has several members, with the
// tag i:value for each value of its label. Nothing else in the union has the
// tag, so that no operand of an "or" hides anything of another one.
func (p part) tag(i int) string {
	value, source, pattern := p.prefix(i), "", ""
	if p.label != "" {
		value, source, pattern = value+"${1}", p.label, "(?s:(.*))"
	}
	var b strings.Builder
	b.WriteString("label_replace(" + p.text)
	for _, arg := range []string{Tag, value, source, pattern} {
		b.WriteString(", " + strconv.Quote(arg))
	}
	return b.String() + ")"
}

// prefix is how the tags of part i begin.
func (p part) prefix(i int) string {
	if p.label == "" {
		return strconv.Itoa(i)
	}
	return strconv.Itoa(i) + ":"
}

func (u *union) batch() Batch {
	if len(u.parts) == 1 {
		return u.parts[0].batch()
	}
	b := Batch{Label: Tag}
	operands := make([]string, len(u.parts))
	for i, p := range u.parts {
		operands[i] = p.tag(i)
		for _, m := range p.members {
			b.Members = append(b.Members, Member{Query: m.Query, Key: p.prefix(i) + m.Key})
		}
	}
	b.Text = or(operands)
	return b
}

// or joins the operands as a balanced tree: in a chain the first series would be
// copied once for every operand.
func or(operands []string) string {
	if len(operands) == 1 {
		return operands[0]
	}
	half := len(operands) / 2
	return "(" + or(operands[:half]) + ") or (" + or(operands[half:]) + ")"
}
