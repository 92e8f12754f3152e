package plane

import (
	"time"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/promquery/plan"
)

// span is the instants that are wanted.
type span struct {
	from, to time.Time
	step     time.Duration
}

// len returns how many instants there are.
func (s span) len() int {
	if s.from.Equal(s.to) || s.step <= 0 {
		return 1
	}
	return int(s.to.Sub(s.from)/s.step) + 1
}

// want is one query at the instants of a span, and everybody who asks for it.
type want struct {
	query *Query
	// first is the index of the first who asks; the round knows the next.
	first int32
	// owner is the namespace that asks; empty where several do.
	owner string
	// sent is the text of the newest request that asked for it.
	sent string
	// tainted is an answer with warnings of which nobody knows whose they are. It
	// stands unless a better one comes.
	tainted *promquery.Answer
}

// member is a want of a job, and the key under which its answer comes.
type member struct {
	want *want
	key  int // index in the job's keys
}

// class tells when a job's turn is.
type class uint8

const (
	// shared jobs are for several namespaces; they are first.
	shared class = iota
	// owned jobs are for one.
	owned
	// suspect jobs are queries that failed alone before; they are last.
	suspect
	// control asks again what was answered before, to see whether the source
	// lives. Nobody waits for the answer.
	control
)

// job is one request.
type job struct {
	span    span
	text    string
	by      promquery.By // without a label when the job is one query as it stands
	members []member
	class   class
	owner   string
	// origin is what the job is a part of; nil when it was planned.
	origin *split
}

// alone reports whether the job is for one query, or for several that mean the
// same: whatever comes of it is theirs.
func (j *job) alone() bool { return j.by.Label == "" || len(j.members) == 1 }

// wants returns what the job is for.
func (j *job) wants() []*want {
	all := make([]*want, len(j.members))
	for i, m := range j.members {
		all[i] = m.want
	}
	return all
}

// jobs plans the wants of one span as requests.
func jobs(wants []*want, at span, limits plan.Limits, origin *split) []*job {
	queries := make([]*plan.Query, len(wants))
	for i, w := range wants {
		queries[i] = w.query.plan
	}
	batches := plan.Make(queries, limits)
	all := make([]*job, len(batches))
	for i, b := range batches {
		all[i] = newJob(b, wants, at, origin)
	}
	return all
}

func newJob(b plan.Batch, wants []*want, at span, origin *split) *job {
	j := &job{span: at, text: b.Text, members: make([]member, len(b.Members)), class: owned, origin: origin}
	j.by.Label = b.Label
	keys := make(map[string]int, len(b.Members))
	j.owner = wants[b.Members[0].Query].owner
	for i, m := range b.Members {
		k, known := keys[m.Key]
		if !known {
			k = len(j.by.Keys)
			keys[m.Key] = k
			j.by.Keys = append(j.by.Keys, m.Key)
		}
		w := wants[m.Query]
		j.members[i] = member{want: w, key: k}
		if w.owner != j.owner || w.owner == "" {
			j.class, j.owner = shared, ""
		}
	}
	return j
}

// single is the job that asks one want as it stands.
func single(w *want, at span, c class) *job {
	return &job{
		span: at, text: w.query.Text(), by: promquery.By{Keys: []string{""}},
		members: []member{{want: w}}, class: c, owner: w.owner,
	}
}
