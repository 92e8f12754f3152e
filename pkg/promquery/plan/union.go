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

// tagged is the most that a part adds to the text of a union: quotes make a label
// four times as long at worst, and what is around takes less than a hundred bytes.
func tagged(p part) int { return len(p.text) + 4*len(p.label) + 100 }

func (u *union) batch() Batch {
	if len(u.parts) == 1 {
		return u.parts[0].batch()
	}
	b := Batch{Label: Tag}
	var text strings.Builder
	text.Grow(u.bytes)
	u.write(&text, 0, len(u.parts))
	b.Text = text.String()
	for i, p := range u.parts {
		for _, m := range p.members {
			b.Members = append(b.Members, Member{Query: m.Query, Key: p.tag(i) + m.Key})
		}
	}
	return b
}

// write joins the parts from one to another by "or", as a balanced tree: in a
// chain the first series would be copied once for every part.
func (u *union) write(b *strings.Builder, from, to int) {
	if to-from == 1 {
		u.parts[from].write(b, from)
		return
	}
	half := (from + to) / 2
	b.WriteByte('(')
	u.write(b, from, half)
	b.WriteString(") or (")
	u.write(b, half, to)
	b.WriteByte(')')
}

// write writes part i with its tag, or with tag and value for every value of its
// label. Nothing else in the union has these, so that no operand of an "or" hides
// anything of another one.
func (p part) write(b *strings.Builder, i int) {
	b.WriteString("label_replace(" + p.text + `, "` + Tag + `", "` + p.tag(i))
	if p.label == "" {
		b.WriteString(`", "", "")`)
	} else {
		b.WriteString(`${1}", ` + strconv.Quote(p.label) + `, "(?s:(.*))")`)
	}
}

// tag is how the keys of part i begin.
func (p part) tag(i int) string {
	if p.label == "" {
		return strconv.Itoa(i)
	}
	return strconv.Itoa(i) + ":"
}
