package incluster

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// Said returns how KEDA's pods fare, and what they and the programs below them
// logged about a namespace.
func (c *Cluster) Said(ctx context.Context, namespace string) string {
	var text strings.Builder
	c.describePods(ctx, c.o.Keda, &text)
	return text.String() + c.logs(ctx, c.o.Keda, "", 60, namespace) + c.o.Ground.Said(ctx, namespace)
}

// logs returns the last n lines with a text that each of the pods logged.
func (c *Cluster) logs(ctx context.Context, namespace, selector string, n int, with string) string {
	list, err := c.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, p := range list.Items {
		fmt.Fprintf(&text, "-- %s (%s, %s)\n", p.Name, p.Status.Phase, state(p))
		out, err := c.client.CoreV1().Pods(namespace).GetLogs(p.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
		if err != nil {
			fmt.Fprintln(&text, err)
			continue
		}
		var lines []string
		for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
			if strings.Contains(s.Text(), with) {
				lines = append(lines, s.Text())
			}
		}
		for _, line := range lines[max(0, len(lines)-n):] {
			fmt.Fprintln(&text, line)
		}
	}
	return text.String()
}

// Describe returns the autoscaling objects, the pods and the events of a namespace.
func (c *Cluster) Describe(ctx context.Context, namespace string) string {
	client, err := dynamic.NewForConfig(c.Config())
	if err != nil {
		return err.Error()
	}
	var text strings.Builder
	for _, resource := range []schema.GroupVersionResource{
		{Group: "autoscaling", Version: "v2", Resource: "horizontalpodautoscalers"},
		{Group: "keda.sh", Version: "v1alpha1", Resource: "scaledobjects"},
	} {
		list, err := client.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err.Error()
		}
		for _, o := range list.Items {
			unstructured.RemoveNestedField(o.Object, "metadata", "managedFields")
			out, err := yaml.Marshal(o.Object)
			fmt.Fprintf(&text, "-- %s\n%s", resource.Resource, out)
			if err != nil {
				fmt.Fprintln(&text, err)
			}
		}
	}
	c.describePods(ctx, namespace, &text)
	return text.String()
}

func (c *Cluster) describePods(ctx context.Context, namespace string, text *strings.Builder) {
	list, err := c.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		fmt.Fprintln(text, err)
		return
	}
	fmt.Fprintln(text, "-- pods")
	for _, p := range list.Items {
		fmt.Fprintf(text, "%s %s %s\n", p.Name, p.Status.Phase, state(p))
	}
	events, err := c.client.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		fmt.Fprintln(text, err)
		return
	}
	slices.SortFunc(events.Items, func(a, b corev1.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	fmt.Fprintln(text, "-- events")
	for _, e := range events.Items {
		fmt.Fprintf(text, "%s %s/%s %s: %s\n", e.LastTimestamp.UTC().Format("15:04:05"), e.InvolvedObject.Kind, e.InvolvedObject.Name, e.Reason, e.Message)
	}
}
