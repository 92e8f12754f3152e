package events

// Result is what became of an event, from a closed list.
type Result string

// The results.
const (
	Written Result = "written"
	Known   Result = "known"
	Limited Result = "limited"
	Dropped Result = "dropped"
	Failed  Result = "failed"
)

// Results returns all results.
func Results() []Result { return []Result{Written, Known, Limited, Dropped, Failed} }

// Meaning says what a result means.
func (r Result) Meaning() string {
	switch r {
	case Written:
		return "it is in the cluster, or was counted there once more"
	case Known:
		return "another replica had written it"
	case Limited:
		return "its ScaledObject was told about too often"
	case Dropped:
		return "too many were waiting to be written"
	case Failed:
		return "the API server did not take it, or has no such ScaledObject"
	}
	return "unknown"
}
