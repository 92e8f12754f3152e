package plan

// Tag is the label that tells the members of a union apart. A query that names it
// is asked alone.
const Tag = "zmy_query"

// Limits bound what is asked together. The zero value puts together only queries
// that are the same.
type Limits struct {
	// Merge is the largest number of values that one query asks for. Below 2
	// nothing is merged. Prometheus looks up to 256 values of a label up by their
	// names; for more it goes through all the values there are.
	Merge int
	// Union is the largest number of queries in a union, a merged query counting
	// as one. Below 2 there are no unions. A union never has more different
	// members than the larger one of Merge and Union.
	Union int
	// Bytes is the longest text of a query that was put together. A query that is
	// longer by itself is asked alone.
	Bytes int
}

// DefaultLimits returns limits that suit a stock Prometheus.
func DefaultLimits() Limits {
	return Limits{Merge: 250, Union: 64, Bytes: 64 << 10}
}

// Batch is one query to send, and whom its answer is for.
type Batch struct {
	// Text is the PromQL to send.
	Text string
	// Label is the label whose value tells the members apart. It is empty when
	// the answer as a whole is that of every member: Text is then one of their
	// own texts.
	Label string
	// Members are the queries that the batch answers, at least one. With a Label,
	// the answer to a member is made of the series that have its Key there, and
	// every series must have one of the Keys: if one has not, the source does not
	// evaluate as Prometheus does, and the members should be asked alone. An
	// error, and a warning, may be that of any member.
	Members []Member
}

// Member is a query of a batch.
type Member struct {
	// Query is the index of the query in what was planned.
	Query int
	// Key is the value of the batch's Label. Members with the same Key have the
	// same answer.
	Key string
}
