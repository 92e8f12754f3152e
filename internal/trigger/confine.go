package trigger

import "github.com/infra-arch/zmy-scaler/pkg/promquery"

// Confine has every query of the trigger see only series on which a label has a
// value; see [promquery.Enforce]. The error is [Faults], one for each key whose
// query asks for others. Nobody else may use the trigger meanwhile.
func (t *Trigger) Confine(label, value string) error {
	var faults Faults
	for _, k := range Keys() {
		given, ok := t.given[k.Name]
		if !ok || k.Kind != PromQL {
			continue
		}
		query, err := promquery.Enforce(given.Text, label, value)
		if err == nil {
			err = k.set(t, query)
		}
		if err != nil {
			faults = append(faults, Fault{Key: given.Key, Value: given.Text, Problem: err.Error()})
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}
