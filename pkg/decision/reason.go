package decision

// Band is what a decision does.
type Band uint8

// The bands. [Hold] is the zero value: whatever is not known to be something
// else holds.
const (
	Hold Band = iota
	ScaleUp
	ScaleDown
	// Inactive is a scale-down of a fleet that has nothing to do: KEDA may
	// take it to its minimum, which may be zero.
	Inactive
)

// Bands lists all bands.
func Bands() []Band { return []Band{Hold, ScaleUp, ScaleDown, Inactive} }

// String returns the band as metrics and documents name it.
func (b Band) String() string {
	switch b {
	case Hold:
		return "hold"
	case ScaleUp:
		return "scale_up"
	case ScaleDown:
		return "scale_down"
	case Inactive:
		return "inactive"
	}
	return "unknown"
}

// Reason says why, from a closed list.
type Reason uint8

// The reasons. The zero Reason is never given.
const (
	_ Reason = iota

	// The yield decides.

	Steady
	Saturated
	SaturatedPending
	Idle
	IdlePending
	NothingToDo

	// The yield would move the fleet, and something else keeps it.

	NotCPUBound
	WorkersStarting
	WorkNeedsAll
	UpWithinTolerance
	DownWithinTolerance
	AtMax
	AtMin
	GuardAbove
	GuardMissing
	PartialData
	HistoryUnknown
	Landing

	// At zero replicas.

	AbsentAtZero
	WokenByQuery
	WokenByYield
	FirstYieldPending

	// Not enough is known.

	NoData
	StaleData
	BadData
	ReplicasUnknown
	WorkersUnknown
	NoDataTooLong

	// The policy moves nothing.

	ShadowHold
	ShadowLowest

	numReasons
)

// reasons holds, for every reason, the name that metrics and JSON carry and a
// sentence for people.
var reasons = [numReasons]struct{ name, text string }{
	Steady:              {"steady", "the yield is inside the hold band"},
	Saturated:           {"saturated", "the yield is below scaleUpThreshold"},
	SaturatedPending:    {"saturated_pending", "the yield is below scaleUpThreshold, but not yet for scaleUpDelay"},
	Idle:                {"idle", "the yield has been above scaleDownThreshold for scaleDownDelay"},
	IdlePending:         {"idle_pending", "the yield is above scaleDownThreshold, but not yet for scaleDownDelay"},
	NothingToDo:         {"nothing_to_do", "the yield has been at inactiveThreshold or above for scaleDownDelay, and the work fits one worker"},
	NotCPUBound:         {"not_cpu_bound", "load is not CPU-bound: more workers would wait for the same thing"},
	WorkersStarting:     {"workers_starting", "the replicas asked for already cover the work; some are not ready yet"},
	WorkNeedsAll:        {"work_needs_all", "the heaviest work in the delay window needs every replica"},
	UpWithinTolerance:   {"up_within_tolerance", "the scale-up is smaller than the HPA's tolerance acts on"},
	DownWithinTolerance: {"down_within_tolerance", "the scale-down is smaller than the HPA's tolerance acts on"},
	AtMax:               {"at_max", "the fleet is at maxReplicaCount"},
	AtMin:               {"at_min", "the fleet is at its minimum"},
	GuardAbove:          {"guard_above_zero", "guardQuery is above 0 and forbids scaling down"},
	GuardMissing:        {"guard_missing", "guardQuery gave no number, which forbids scaling down"},
	PartialData:         {"partial_data", "the newest answer came with warnings; on partial data nothing scales down"},
	HistoryUnknown:      {"replica_history_unknown", "replica history unknown: the fleet was scaled shortly before its workers were first counted"},
	Landing:             {"landing", "inactive, and landing gracefully: the fleet goes to 1 before it may go to 0"},
	AbsentAtZero:        {"absent_at_zero", "absent at zero: no replicas, and nothing wakes them"},
	WokenByQuery:        {"woken_by_query", "wakeQuery is above 0"},
	WokenByYield:        {"woken_by_yield", "at zero replicas the yield is below inactiveThreshold"},
	FirstYieldPending:   {"first_yield_pending", "the fleet has left zero, and its first worker has not been measured yet"},
	NoData:              {"no_data", "the yield has no sample in the whole window"},
	StaleData:           {"stale_data", "the newest yield is older than maxStaleness"},
	BadData:             {"bad_data", "the newest answer for the yield is no usable number"},
	ReplicasUnknown:     {"replicas_unknown", "the number of replicas is unknown"},
	WorkersUnknown:      {"workers_unknown", "the number of workers able to work is unknown, and with it the work"},
	NoDataTooLong:       {"no_data_too_long", "there has been no usable yield for longer than allowed"},
	ShadowHold:          {"shadow_hold", "shadow mode: hold is told, whatever was decided"},
	ShadowLowest:        {"shadow_lowest", "shadow mode beside other triggers: the lowest value is told, so that they decide"},
}

// Reasons lists all reasons.
func Reasons() []Reason {
	all := make([]Reason, 0, numReasons-1)
	for r := Reason(1); r < numReasons; r++ {
		all = append(all, r)
	}
	return all
}

// String returns the name that metrics and JSON carry.
func (r Reason) String() string {
	if r == 0 || r >= numReasons {
		return "unknown"
	}
	return reasons[r].name
}

// Text returns a sentence for people.
func (r Reason) Text() string {
	if r == 0 || r >= numReasons {
		return "unknown"
	}
	return reasons[r].text
}
