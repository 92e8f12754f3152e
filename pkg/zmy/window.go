package zmy

// Role names what a query is asked for. Each policy has at most one query a role.
type Role uint8

// The roles, in the order in which they are reported.
const (
	// Yield is the idle share, zmy.
	Yield Role = iota
	// CPU is CPU used over CPU requested, 0.7 meaning 70 %.
	CPU
	// Workers is the number of workers able to work.
	Workers
	// Wake wakes a fleet from zero when above 0.
	Wake
	// Guard forbids scaling down when above 0.
	Guard
	// NumRoles is how many roles there are.
	NumRoles
)

// String returns the role's lower-case name.
func (r Role) String() string {
	switch r {
	case Yield:
		return "yield"
	case CPU:
		return "cpu"
	case Workers:
		return "replicas"
	case Wake:
		return "wake"
	case Guard:
		return "guard"
	case NumRoles:
	}
	return "unknown role"
}

// Domain returns the values a query of this role may give.
func (r Role) Domain() Domain {
	if r == Yield {
		return Ratio
	}
	return Amount
}

// Window holds what was observed of a policy's queries, all on one grid. A role
// without a query has no series.
type Window struct {
	Grid   Grid
	Series [NumRoles]*Series
}

// Of returns the series of a role; nil, which reads as empty, without one.
func (w *Window) Of(r Role) *Series { return w.Series[r] }
