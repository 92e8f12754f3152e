package incluster

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes"
)

// probe asks every second.
func probe(path string, port int) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromInt(port)}},
		PeriodSeconds: 1,
	}
}

// restrictedPod and restrictedContainer are what the Pod Security Standard of that
// name asks for.
func restrictedPod() *corev1.PodSecurityContext {
	const user int64 = 65532
	return &corev1.PodSecurityContext{
		RunAsNonRoot: new(true), RunAsUser: new(user), FSGroup: new(user),
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
}

func restrictedContainer() *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
}

// pods returns the pods with a label that are not on their way out.
func pods(ctx context.Context, client kubernetes.Interface, namespace, selector string) ([]corev1.Pod, error) {
	list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, err
	}
	var all []corev1.Pod
	for _, p := range list.Items {
		if p.DeletionTimestamp == nil {
			all = append(all, p)
		}
	}
	return all, nil
}

// ready reports whether there are n pods with a label, and all of them are ready.
func ready(ctx context.Context, client kubernetes.Interface, namespace, selector string, n int) error {
	all, err := pods(ctx, client, namespace, selector)
	if err != nil {
		return err
	}
	if len(all) != n {
		err = fmt.Errorf("%d pods, want %d", len(all), n)
	}
	for _, p := range all {
		if !isReady(p) {
			err = errors.Join(err, fmt.Errorf("%s is %s: %s", p.Name, p.Status.Phase, state(p)))
		}
	}
	return err
}

func isReady(p corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// state says whether a pod is ready, or what it waits for.
func state(p corev1.Pod) string {
	for _, s := range p.Status.ContainerStatuses {
		switch {
		case s.State.Waiting != nil:
			return s.State.Waiting.Reason + " " + s.State.Waiting.Message
		case s.State.Terminated != nil:
			return s.State.Terminated.Reason + " " + s.State.Terminated.Message
		}
	}
	if isReady(p) {
		return "ready"
	}
	return "not ready"
}
