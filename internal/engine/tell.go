package engine

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"github.com/infra-arch/zmy-scaler/internal/events"
	"github.com/infra-arch/zmy-scaler/internal/trigger"
	"github.com/infra-arch/zmy-scaler/pkg/decision"
)

// Events tells people what happens to ScaledObjects. [events.Recorder] is the one
// that does it.
type Events interface {
	// Tell waits for nothing.
	Tell(e events.Event)
}

// silence tells nobody.
type silence struct{}

func (silence) Tell(events.Event) {}

// refused tells that a call was answered with an error that its owner can mend, and
// returns the error.
func (e *Engine) refused(c Call, err error) error {
	var reason events.Reason
	switch {
	case errors.As(err, new(trigger.Faults)), errors.As(err, new(*MetricTypeError)):
		reason = events.InvalidTrigger
	case errors.As(err, new(*UnknownSourceError)):
		reason = events.UnknownSource
	case errors.As(err, new(*ForbiddenSourceError)):
		reason = events.ForbiddenSource
	default:
		return err
	}
	e.cfg.Events.Tell(events.Event{
		Namespace: c.Namespace, Name: c.Name, Reason: reason, About: err.Error(), Message: err.Error(), At: e.cfg.Clock.Now(),
	})
	return err
}

// tell tells what has changed between two verdicts. Before the first there is none,
// and no band to change from; that data is bad is told all the same.
func (e *Engine) tell(en *entry, before, now *verdict) {
	d := &now.decision
	send := func(reason events.Reason, about, message string) {
		e.cfg.Events.Tell(events.Event{
			Namespace: en.key.namespace, Name: en.key.name, UID: types.UID(now.cluster.UID), Reason: reason,
			About:   en.trig.MetricName + " " + about,
			Message: "metric " + en.trig.MetricName + ": " + message,
			At:      d.At,
		})
	}
	wasBlind := before != nil && blind(before)
	switch {
	case blind(now) && !wasBlind:
		send(events.DataBad, d.Reason.String(), blindness(now))
	case !blind(now) && wasBlind && d.Yield.OK:
		send(events.DataGood, "", fmt.Sprintf("the yield is known again: %.3g", d.Yield.Value))
	}
	if before != nil && before.decision.Band != d.Band {
		was := before.decision.Band.String()
		send(events.BandChanged, was+" "+d.Band.String(), fmt.Sprintf("%s, was %s: %s", d.Band, was, reasoning(en, d)))
	}
}

// blind reports whether the fleet is held for want of a yield.
func blind(v *verdict) bool {
	switch v.decision.Reason {
	case decision.NoData, decision.StaleData, decision.BadData:
		return true
	default:
		return false
	}
}

// blindness says what is wrong with the data, and what that rests on.
func blindness(v *verdict) string {
	parts := []string{v.decision.Reason.Text()}
	if v.decision.Newest.Bad() {
		parts = append(parts, v.decision.Newest.String())
	}
	if failure := v.failure(); failure != "" {
		parts = append(parts, failure)
	}
	return strings.Join(parts, ": ")
}

// reasoning says why a decision is what it is, with its numbers.
func reasoning(en *entry, d *decision.Decision) string {
	text := d.Reason.Text()
	if d.Yield.OK {
		text += fmt.Sprintf("; yield %.3g", d.Yield.Value)
	}
	if d.Replicas.Known {
		text += fmt.Sprintf("; %d replicas, %d wanted", d.Replicas.N, d.Desired)
	}
	if en.trig.Policy.Shadow {
		text += "; shadow: nothing is moved"
	}
	return text
}
