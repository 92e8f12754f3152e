// Package stage is what one scenario plays on: a namespace with a fleet, numbers
// for it, and a scaler of its own. Everything that happens to the fleet is
// recorded, so that nothing that moves for a moment goes unseen.
package stage

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/infra-arch/zmy-scaler/e2e/cluster"
	"github.com/infra-arch/zmy-scaler/e2e/internal/wait"
)

// patience is how long a scenario may take, and soon how long anything in it may
// take that is expected to happen.
const (
	patience = 6 * time.Minute
	soon     = 60 * time.Second
)

// World is what scenarios share.
type World struct {
	Cluster    cluster.Cluster
	Prometheus cluster.Prometheus
}

// Options say what a scenario wants to be different.
type Options struct {
	// OwnPrometheus gives it a Prometheus that it may stop.
	OwnPrometheus bool
	// Scaler is how its scaler is installed; one replica by default. Install says it
	// where that depends on the namespace.
	Scaler  cluster.ScalerOptions
	Install func(*Stage) cluster.ScalerOptions
	// Fleet is the scale target; a Deployment of four by default.
	Fleet Fleet
	// Patience is how long the scenario may take; a few minutes by default.
	Patience time.Duration
}

// Stage is the place of one scenario.
type Stage struct {
	Cluster    cluster.Cluster
	Prometheus cluster.Prometheus
	Scaler     cluster.Scaler
	// Namespace is its namespace.
	Namespace string
	// Fleet is the scale target.
	Fleet Fleet

	t       *testing.T
	client  kubernetes.Interface
	dynamic dynamic.Interface
	objects *cluster.Objects
	history *history
	model   *model
}

// New makes a stage, which goes with the test. When the test has failed, it shows
// what the scaler, KEDA and the HPA said.
func New(t *testing.T, w World, o Options) (*Stage, context.Context) {
	t.Helper()
	limit := max(patience, o.Patience)
	ctx, cancel := context.WithTimeoutCause(t.Context(), limit, fmt.Errorf("the scenario took longer than %v", limit))
	t.Cleanup(cancel)
	s := &Stage{Cluster: w.Cluster, Prometheus: w.Prometheus, Fleet: o.Fleet.defaults(), t: t}
	s.must(s.connect(ctx, strings.ToLower(t.Name())))
	t.Cleanup(func() { s.close(context.WithoutCancel(ctx)) })
	if o.OwnPrometheus {
		own, err := w.Cluster.Prometheus(ctx, s.Namespace, "prometheus")
		s.must(err)
		s.Prometheus = own
		t.Cleanup(func() { s.check(own.Close(context.WithoutCancel(ctx))) })
	}
	if o.Install != nil {
		o.Scaler = o.Install(s)
	}
	if o.Scaler.Config == "" {
		o.Scaler.Config = s.Config()
	}
	if s.Fleet.Kind == crewKind {
		s.must(s.beginCrew(ctx))
	}
	s.must(s.apply(ctx, s.Fleet.object(s.Namespace)))
	s.history = newHistory(s)
	s.must(s.history.begin(ctx))
	s.model = newModel(s)
	s.model.begin(ctx)
	s.must(wait.Within(ctx, soon, "the fleet", s.history.ready(s.Fleet.Replicas)))
	scaler, err := w.Cluster.Scaler(ctx, s.Namespace, o.Scaler)
	s.must(err)
	s.Scaler = scaler
	t.Cleanup(func() { s.check(scaler.Close(context.WithoutCancel(ctx))) })
	t.Cleanup(func() { s.report(context.WithoutCancel(ctx)) }) // first of all
	return s, ctx
}

// Client returns an administrator's client.
func (s *Stage) Client() kubernetes.Interface { return s.client }

// Config returns a configuration of the scaler for quick scenarios.
func (s *Stage) Config() string {
	return fmt.Sprintf(`
evaluation: {interval: 1s, timeout: 1s, queryOffset: 1s}
sources: [{name: default, url: %q}]
`, s.Prometheus.URL())
}

// connect makes the clients and the namespace.
func (s *Stage) connect(ctx context.Context, name string) error {
	config := s.Cluster.Config()
	var err error
	if s.client, err = kubernetes.NewForConfig(config); err != nil {
		return err
	}
	if s.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return err
	}
	if s.objects, err = cluster.NewObjects(config); err != nil {
		return err
	}
	_, name, _ = strings.Cut(name, "/")
	name = strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, name), "-")
	name = strings.Trim(name[:min(len(name), 30)], "-")
	created, err := s.client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: name + "-"},
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	s.Namespace = created.Name
	return nil
}

// close removes the namespace. KEDA and the controllers clean up behind the test.
func (s *Stage) close(ctx context.Context) {
	err := s.client.CoreV1().Namespaces().Delete(ctx, s.Namespace, metav1.DeleteOptions{})
	s.check(err)
	s.Prometheus.Unset(s.series("zmy"), s.series("workers"), s.series("waiting"), s.series("wake"), s.series("cpu"))
}

// report shows what everybody said if the test has failed.
func (s *Stage) report(ctx context.Context) {
	if !s.t.Failed() {
		return
	}
	s.t.Logf("==== history of %s\n%s==== kubectl\n%s==== the scaler\n%s==== KEDA and the HPA\n%s====",
		s.Namespace, s.history, shorten(s.Cluster.Describe(ctx, s.Namespace)), s.Scaler.Said(ctx), s.Cluster.Said(ctx, s.Namespace))
}

// maxReport is how many lines are shown of what kubectl tells: hundreds of objects
// would bury the rest.
const maxReport = 1000

// shorten leaves out the middle of a text that is too long.
func shorten(text string) string {
	lines := strings.SplitAfter(text, "\n")
	if len(lines) <= maxReport {
		return text
	}
	half := maxReport / 2
	return fmt.Sprintf("%s(%d lines left out)\n%s",
		strings.Join(lines[:half], ""), len(lines)-2*half, strings.Join(lines[len(lines)-half:], ""))
}

// must ends the test on an error, check lets it go on.
func (s *Stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *Stage) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

// series returns a series of this namespace.
func (s *Stage) series(name string) string { return name + `{ns="` + s.Namespace + `"}` }
