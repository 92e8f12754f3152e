package events

import "time"

// Reason says what happened, from a closed list.
type Reason string

// The reasons.
const (
	InvalidTrigger  Reason = "InvalidTrigger"
	UnknownSource   Reason = "UnknownSource"
	ForbiddenSource Reason = "ForbiddenSource"
	BandChanged     Reason = "BandChanged"
	DataBad         Reason = "DataBad"
	DataGood        Reason = "DataGood"
)

// again is how often a state is told that lasts. It is far below the hour for which
// clusters keep an Event.
const again = 5 * time.Minute

// The types that Kubernetes knows.
const (
	normal  = "Normal"
	warning = "Warning"
)

// Kind is what is to be known of a reason.
type Kind struct {
	Reason Reason
	// Type is Normal or Warning.
	Type string
	// Lasts tells that it is a state, noticed at every call of KEDA, and no moment.
	Lasts bool
	// Meaning is for people.
	Meaning string
}

// Kinds returns all reasons.
func Kinds() []Kind {
	return []Kind{
		{InvalidTrigger, warning, true, "the trigger's metadata is refused, or is at odds with its metricType; the message has everything that is wrong with it"},
		{UnknownSource, warning, true, "the trigger names a source that is not in the scaler's configuration"},
		{ForbiddenSource, warning, true, "the trigger names a source that its namespace may not use"},
		{BandChanged, normal, false, "the decision has moved to another band; the message has both, the sizes and why"},
		{DataBad, warning, false, "there is no fresh and usable yield any more, and the fleet holds; the message says what is wrong with it"},
		{DataGood, normal, false, "there is a fresh and usable yield again"},
	}
}

// kind returns what is to be known of a reason.
func (r Reason) kind() Kind {
	for _, k := range Kinds() {
		if k.Reason == r {
			return k
		}
	}
	return Kind{Reason: r, Type: warning}
}
