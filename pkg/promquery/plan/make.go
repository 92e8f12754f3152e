package plan

import "cmp"

// Make plans queries within limits: every query is a member of exactly one batch.
// Any subset can be planned again, in order to find a member whose query fails.
func Make(queries []*Query, limits Limits) []Batch {
	entries := distinct(queries)
	parts := merge(entries, limits)
	for _, e := range entries {
		if !e.merged {
			parts = append(parts, single(e))
		}
	}
	return pack(parts, limits)
}

// entry is one of the different queries.
type entry struct {
	*Query
	// askers are the indexes of those that are the same.
	askers []int
	// groups are those of its shapes.
	groups []*group
	merged bool
}

// distinct returns each of the different queries once.
func distinct(queries []*Query) []*entry {
	known := make(map[string]*entry, len(queries))
	var entries []*entry
	for i, q := range queries {
		e := known[q.plain]
		if e == nil {
			e = &entry{Query: q}
			known[q.plain] = e
			entries = append(entries, e)
		}
		e.askers = append(e.askers, i)
		// Of the texts that mean the same one is sent, whatever their order.
		if q.text < e.text {
			e.Query = q
		}
	}
	return entries
}

// part is a query to send, by itself or in a union.
type part struct {
	// text is the query in a form that can stand in a union.
	text string
	// given is what to send instead when the part is a batch by itself; empty if
	// that is the text.
	given string
	// label tells the members apart, as in [Batch].
	label   string
	members []Member
	// size is the number of different members.
	size int
	// alone parts go into no union.
	alone bool
}

// single is the part that asks one query as it is.
func single(e *entry) part {
	p := part{text: e.plain, given: e.text, size: 1, alone: !e.joinable}
	if e.scalar {
		p.text = "vector(" + p.text + ")"
	}
	for _, i := range e.askers {
		p.members = append(p.members, Member{Query: i})
	}
	return p
}

func (p part) batch() Batch {
	return Batch{Text: cmp.Or(p.given, p.text), Label: p.label, Members: p.members}
}
