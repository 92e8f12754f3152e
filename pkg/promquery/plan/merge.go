package plan

import (
	"cmp"
	"container/heap"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unique"
)

// merge puts queries together that have a shape in common, the largest groups
// first, and marks them as merged.
func merge(entries []*entry, limits Limits) []part {
	if limits.Merge < 2 {
		return nil
	}
	var parts []part
	waiting := gather(entries)
	heap.Init(&waiting)
	for len(waiting) > 0 {
		g := waiting[0]
		switch {
		case g.open < 2:
			heap.Pop(&waiting)
		case g.open < g.rank: // others took some since it was ranked
			g.rank = g.open
			heap.Fix(&waiting, 0)
		default:
			heap.Pop(&waiting)
			parts = append(parts, g.merge(limits)...)
		}
	}
	return parts
}

// group is the queries that have a shape in common.
type group struct {
	template string
	label    string
	members  []candidate
	// open is how many members are not merged yet, rank how many that were when
	// the group was put in order.
	open, rank int
}

// candidate is a query, and the value that it has for the label of a group.
type candidate struct {
	*entry
	value string
}

// queue is a heap of groups, the largest on top.
type queue []*group

// Len is part of heap.Interface.
func (q queue) Len() int { return len(q) }

// Less is part of heap.Interface.
func (q queue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[j].rank, q[i].rank), cmp.Compare(q[i].template, q[j].template)) < 0
}

// Swap is part of heap.Interface.
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is part of heap.Interface.
func (q *queue) Push(x any) { *q = append(*q, x.(*group)) }

// Pop is part of heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	g := (*q)[last]
	*q = (*q)[:last]
	return g
}

// gather returns the groups that have more than one member.
func gather(entries []*entry) queue {
	groups := make(map[unique.Handle[string]]*group)
	for _, e := range entries {
		for _, s := range e.shapes {
			g := groups[s.template]
			if g == nil {
				g = &group{template: s.template.Value(), label: s.label}
				groups[s.template] = g
			}
			g.members = append(g.members, candidate{entry: e, value: s.value})
			e.groups = append(e.groups, g)
		}
	}
	var several queue
	for _, g := range groups {
		if g.open, g.rank = len(g.members), len(g.members); g.open > 1 {
			several = append(several, g)
		}
	}
	return several
}

// merge makes parts of the members that are not merged yet.
func (g *group) merge(limits Limits) []part {
	open := slices.DeleteFunc(g.members, func(c candidate) bool { return c.merged })
	slices.SortFunc(open, func(a, b candidate) int {
		if c := cmp.Compare(a.value, b.value); c != 0 {
			return c
		}
		return cmp.Compare(a.plain, b.plain)
	})
	var parts []part
	for _, c := range g.chunks(open, limits) {
		if len(c.patterns) > 1 {
			parts = append(parts, g.part(c))
		}
	}
	return parts
}

// chunk is the members that one query asks for.
type chunk struct {
	members []candidate
	// patterns are the different values, in the order of the members, each as it
	// is written in a pattern in a query.
	patterns []string
	bytes    int
}

// chunks cuts members, sorted by their values, into chunks within the limits and
// of about the same number of values.
func (g *group) chunks(members []candidate, limits Limits) []chunk {
	values := 0
	for i, c := range members {
		if i == 0 || c.value != members[i-1].value {
			values++
		}
	}
	count := (values + limits.Merge - 1) / limits.Merge
	most := (values + count - 1) / count
	selectors := strings.Count(g.template, mark)
	list := []chunk{{bytes: len(g.template) + selectors}}
	for i, c := range members {
		last := &list[len(list)-1]
		if i == 0 || c.value != members[i-1].value {
			pattern := quoted(c.value)
			bytes := selectors * (len(pattern) + 1)
			if len(last.patterns) == most || len(last.patterns) > 0 && last.bytes+bytes > limits.Bytes {
				list = append(list, chunk{bytes: len(g.template) + selectors})
				last = &list[len(list)-1]
			}
			last.patterns = append(last.patterns, pattern)
			last.bytes += bytes
		}
		last.members = append(last.members, c)
	}
	return list
}

// quoted returns a pattern that matches the value only, escaped for a string in
// double quotes.
func quoted(value string) string {
	text := strconv.Quote(regexp.QuoteMeta(value))
	return text[1 : len(text)-1]
}

func (g *group) part(c chunk) part {
	pattern := `"` + strings.Join(c.patterns, "|") + `"`
	p := part{text: strings.ReplaceAll(g.template, mark, pattern), label: g.label, size: len(c.patterns)}
	for _, m := range c.members {
		m.merged = true
		for _, other := range m.groups {
			other.open--
		}
		// Some are fit for a union and some not when a value is the tag itself.
		p.alone = p.alone || !m.joinable
		for _, i := range m.askers {
			p.members = append(p.members, Member{Query: i, Key: m.value})
		}
	}
	return p
}
