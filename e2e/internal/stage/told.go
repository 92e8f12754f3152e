package stage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// Told waits until an event or a condition of the ScaledObject contains a text.
func (s *Stage) Told(ctx context.Context, text string) {
	s.t.Helper()
	s.must(wait.Within(ctx, soon, "the user to be told "+text, func(ctx context.Context) error {
		object, err := s.dynamic.Resource(scaledObjects()).Namespace(s.Namespace).Get(ctx, fleetName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		events, err := s.client.CoreV1().Events(s.Namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		told := []string{fmt.Sprint(object.Object["status"])}
		for _, e := range events.Items {
			told = append(told, e.Reason+": "+e.Message)
		}
		if slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, text) }) {
			return nil
		}
		return errors.New(strings.Join(told, "\n"))
	}))
}

// Event waits for an Event of the scaler's with a reason and a text, and returns it.
// It must be the only one with both: what happens again is counted.
func (s *Stage) Event(ctx context.Context, reason, text string) corev1.Event {
	s.t.Helper()
	var found corev1.Event
	s.must(wait.Within(ctx, soon, fmt.Sprintf("the Event %s: %s", reason, text), func(ctx context.Context) error {
		all, err := s.events(ctx)
		if err != nil {
			return err
		}
		n := 0
		for _, e := range all {
			if e.Reason == reason && strings.Contains(e.Message, text) {
				found = e
				n++
			}
		}
		if n != 1 {
			return fmt.Errorf("there are %d of them among %d", n, len(all))
		}
		return nil
	}))
	return found
}

// events returns the scaler's Events on the ScaledObject, asked for as kubectl
// describe does.
func (s *Stage) events(ctx context.Context) ([]corev1.Event, error) {
	object, err := s.dynamic.Resource(scaledObjects()).Namespace(s.Namespace).Get(ctx, fleetName, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	list, err := s.client.CoreV1().Events(s.Namespace).List(ctx, metav1.ListOptions{FieldSelector: fields.Set{
		"involvedObject.kind": object.GetKind(), "involvedObject.namespace": s.Namespace,
		"involvedObject.name": fleetName, "involvedObject.uid": string(object.GetUID()), "source": "zmy-scaler",
	}.String()})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}
