package scenarios

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/incluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/stage"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// release is how every object of a release is labelled.
const release = "app.kubernetes.io/instance=zmy-scaler"

// lifecycle installs a release as users do, into a namespace that only lets hardened
// pods in. It lets a fleet grow, hold and shrink; replaces the release by the next
// one while the fleet grows; and uninstalls it, whereupon nothing is left of it and
// the fleet stays as it is.
func lifecycle(t *testing.T, w world) {
	system, err := w.cluster.Namespace(t.Context(), "zmy-system-", map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	must(t, err)
	before, err := w.cluster.Inventory(t.Context())
	must(t, err)
	setup := incluster.Setup{Namespace: system, Values: func(string) map[string]any { return nil }}
	s, ctx := stage.New(t, w.with(setup), stage.Options{Scaler: cluster.ScalerOptions{Replicas: 2}, Patience: 15 * time.Minute})
	hardened(ctx, t, s, system)

	s.Work(2)
	s.Scale(ctx, stage.Object{Min: 1, Max: 50, Triggers: []stage.Trigger{{}}})
	s.Stays(ctx, 10*time.Second)
	s.Work(3.2)
	s.Becomes(ctx, 11)
	s.HPAWants(ctx, 11)
	s.Stays(ctx, 5*time.Second)
	s.Work(0.8)
	s.Becomes(ctx, 2)
	s.HPAWants(ctx, 2)
	s.Work(1) // half of it: holds
	s.Stays(ctx, 5*time.Second)
	s.Went(4, 11, 2)

	upgrade(ctx, t, w, s, system)
	s.Went(4, 11, 2, 6)
	quiet(ctx, t, s)

	must(t, w.cluster.Chart(system).Uninstall(ctx))
	nothingLeft(ctx, t, w, s, before, system)
	s.Stays(ctx, 5*time.Second)
	s.Went(4, 11, 2, 6)
}

// upgrade replaces both replicas by those of the next release, and gives the fleet
// more to do when the first is new and the second is old.
func upgrade(ctx context.Context, t *testing.T, w world, s *stage.Stage, system string) {
	t.Helper()
	values, err := incluster.Values(cluster.ScalerOptions{Replicas: 2, Config: s.Config()})
	must(t, err)
	next := w.cluster.Kit().Releases[1]
	done := make(chan error, 1)
	go func() { done <- w.cluster.Chart(system).Upgrade(ctx, next, values) }()
	must(t, wait.Within(ctx, time.Minute, "a replica of the next release", func(ctx context.Context) error {
		images, err := images(ctx, s, system)
		if err == nil && (len(images) != 3 || !strings.Contains(fmt.Sprint(images), next.Image.Name)) {
			err = fmt.Errorf("the images are %q", images)
		}
		return err
	}))
	s.Stays(ctx, 5*time.Second)
	s.Work(1.6) // 0.8 of two workers
	s.Becomes(ctx, 6)
	s.HPAWants(ctx, 6)
	for waiting := true; waiting; {
		select {
		case err := <-done:
			must(t, err)
			waiting = false
		default:
			s.Stays(ctx, time.Second)
		}
	}
	s.Stays(ctx, 10*time.Second)
	now, err := images(ctx, s, system)
	must(t, err)
	if want := []string{next.Image.Name, next.Image.Name}; fmt.Sprint(now) != fmt.Sprint(want) {
		t.Errorf("after the upgrade the images are %q, want %q", now, want)
	}
}

// images returns the images of the scaler's pods.
func images(ctx context.Context, s *stage.Stage, namespace string) ([]string, error) {
	list, err := s.Client().CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: release})
	if err != nil {
		return nil, err
	}
	var all []string
	for _, p := range list.Items {
		all = append(all, p.Spec.Containers[0].Image)
	}
	return all, nil
}

// hardened sees that the namespace lets nobody in who is not hardened, so that the
// scaler's pods, which are in it, are.
func hardened(ctx context.Context, t *testing.T, s *stage.Stage, namespace string) {
	t.Helper()
	_, err := s.Client().CoreV1().Pods(namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "careless"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "careless", Image: "careless"}}},
	}, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err == nil || !strings.Contains(err.Error(), "restricted") {
		t.Errorf("a pod without any care was met by: %v", err)
	}
}

// quiet sees that the HPA had nothing to complain of, neither in its status nor in
// an event. That it lost a race for its own status to KEDA, and then tried again, is
// no complaint.
func quiet(ctx context.Context, t *testing.T, s *stage.Stage) {
	t.Helper()
	if trouble := s.Trouble(); len(trouble) > 0 {
		t.Errorf("the HPA complained: %q", trouble)
	}
	events, err := s.Client().CoreV1().Events(s.Namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=HorizontalPodAutoscaler"})
	must(t, err)
	for _, e := range events.Items {
		if strings.HasPrefix(e.Reason, "Failed") && e.Reason != "FailedUpdateStatus" {
			t.Errorf("the HPA complained in an event: %s: %s", e.Reason, e.Message)
		}
	}
}

// nothingLeft waits until nothing is on the cluster that came with the release:
// nothing with its label, nothing in its namespace or KEDA's, and nothing that is in
// none. The fleet has its own namespace.
func nothingLeft(ctx context.Context, t *testing.T, w world, s *stage.Stage, before incluster.Inventory, system string) {
	t.Helper()
	var left []error // as of the last look that was not cut short
	must(t, wait.Within(ctx, 2*time.Minute, "everything to be gone that came with the release", func(ctx context.Context) error {
		now, err := w.cluster.Inventory(ctx)
		if err != nil {
			return errors.Join(append(left, err)...)
		}
		left = nil
		for _, o := range now.Since(before) {
			switch {
			case o.Namespace == system, o.Namespace == w.cluster.Keda(), now[o]["app.kubernetes.io/instance"] == "zmy-scaler",
				o.Namespace == "" && o.Name != s.Namespace:
				left = append(left, errors.New(o.String()))
			}
		}
		return errors.Join(left...)
	}))
}
