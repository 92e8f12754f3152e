package incluster

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
)

// put is how long it may take to give an exporter its numbers.
const put = 10 * time.Second

// numbers are what an exporter in a pod shows. It is reached through the API
// server, and asked for nothing but changes.
type numbers struct {
	client          kubernetes.Interface
	ctx             context.Context // of the exporter's life: setting a number takes none
	namespace, name string

	mu          sync.Mutex
	want, shown map[string]float64
}

func newNumbers(ctx context.Context, client kubernetes.Interface, namespace, name string) *numbers {
	return &numbers{client: client, ctx: ctx, namespace: namespace, name: name, want: map[string]float64{}}
}

// Set sets the values of series, all at once. What could not be set is set with the
// next change: the model of a stage repeats itself all the time.
func (n *numbers) Set(values map[string]float64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.Copy(n.want, values)
	n.show()
}

// Unset removes series, all at once.
func (n *numbers) Unset(series ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range series {
		delete(n.want, s)
	}
	n.show()
}

// show gives the exporter the numbers, if it has others.
func (n *numbers) show() {
	if n.shown != nil && maps.Equal(n.want, n.shown) {
		return
	}
	if err := n.put(n.ctx); err == nil {
		n.shown = maps.Clone(n.want)
	}
}

func (n *numbers) put(ctx context.Context) error {
	body, err := json.Marshal(n.want)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, put)
	defer cancel()
	return n.client.CoreV1().RESTClient().Put().Namespace(n.namespace).Resource("services").
		Name(fmt.Sprintf("%s:%d", n.name, numbersPort)).SubResource("proxy").Suffix("numbers").Body(body).Do(ctx).Error()
}
