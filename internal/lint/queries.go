package lint

import (
	"strings"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/infra-arch/zmy-scaler/pkg/zmy"
)

// queries returns the keys of the trigger's queries and what they ask for, in the
// order of the roles.
func (s *subject) queries() []query {
	names := map[zmy.Role]string{
		zmy.Yield: "zmyQuery", zmy.CPU: "cpuQuery", zmy.Workers: "replicasQuery", zmy.Wake: "wakeQuery", zmy.Guard: "guardQuery",
	}
	var all []query
	for role := range zmy.NumRoles {
		if text := s.trigger.Queries[role]; text != "" {
			all = append(all, query{role: role, name: names[role], text: text})
		}
	}
	return all
}

// query is one of a trigger's.
type query struct {
	role       zmy.Role
	name, text string
}

func (q query) key() string { return "metadata." + q.name }

func checkGrouped(s *subject, say say) {
	for _, q := range s.queries() {
		if labels := promquery.Grouped(q.text); len(labels) > 0 {
			say(q.key(), "%s gives a series for each %s: it must give one", q.name, strings.Join(labels, ", "))
		}
	}
}

func checkPercent(s *subject, say say) {
	if promquery.Percent(s.trigger.Queries[zmy.Yield]) {
		say("metadata.zmyQuery", "zmyQuery gives percent, by a factor of 100 in it: the yield is a share, from 0 to 1")
	}
}

func checkConstant(s *subject, say say) {
	if text := s.trigger.Queries[zmy.Workers]; text != "" && promquery.Constant(text) {
		say("metadata.replicasQuery", "replicasQuery %q is the same number at any time", text)
	}
}

func checkGuard(s *subject, say say) {
	if promquery.HiddenComparison(s.trigger.Queries[zmy.Guard]) {
		say("metadata.guardQuery", "guardQuery has a comparison without bool in it: it is missing, which forbids scaling down, while the comparison is true for no series")
	}
}

// checkVanishing leaves out a bare comparison in a guard or wake query, which is
// refused, and count(up == 1) as a number of workers.
func checkVanishing(s *subject, say say) {
	for _, q := range s.queries() {
		bare, hidden := promquery.BareComparison(q.text), promquery.HiddenComparison(q.text)
		switch {
		case bare:
			say(q.key(), "%s is missing while its comparison is false", q.name)
		case hidden && q.role == zmy.Wake:
			say(q.key(), "wakeQuery is missing, rather than 0, while its comparison is true for no series")
		case hidden && (q.role == zmy.Yield || q.role == zmy.CPU):
			say(q.key(), "%s leaves out what its comparison is false for", q.name)
		}
	}
}
