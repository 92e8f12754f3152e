// Package cluster is what the scenarios need of a Kubernetes cluster with KEDA.
// The packages below it provide one.
package cluster

import (
	"context"

	"k8s.io/client-go/rest"
)

// Cluster is a Kubernetes cluster with KEDA.
type Cluster interface {
	// Config gives an administrator's access.
	Config() *rest.Config
	// Prometheus starts a Prometheus for a namespace, named name there. Its numbers
	// are what it is told to scrape.
	Prometheus(ctx context.Context, namespace, name string) (Prometheus, error)
	// Scaler installs the scaler in a namespace, as zmy-scaler.
	Scaler(ctx context.Context, namespace string, o ScalerOptions) (Scaler, error)
	// Said returns what the parts of the cluster logged about a namespace.
	Said(ctx context.Context, namespace string) string
	// Describe returns what kubectl describes of a namespace: HPAs, ScaledObjects
	// and events.
	Describe(ctx context.Context, namespace string) string
	// Close ends the cluster, or leaves one that was there before.
	Close(ctx context.Context) error
}

// Prometheus is a Prometheus that scrapes, every second, the numbers it is given.
type Prometheus interface {
	// URL is where the scaler reaches it.
	URL() string
	// Set sets the values of series, written as in PromQL: zmy{job="a"}. One scrape
	// finds all of them or none.
	Set(values map[string]float64)
	// Unset removes series.
	Unset(series ...string)
	// Requests returns how many queries it has answered.
	Requests(ctx context.Context) (float64, error)
	// Stop and Start end it and run it again; its data stays.
	Stop(ctx context.Context) error
	Start(ctx context.Context) error
	// Close removes it.
	Close(ctx context.Context) error
}

// ScalerOptions say how the scaler is installed.
type ScalerOptions struct {
	// Replicas is how many there are.
	Replicas int
	// Config is the configuration file; see config/scaler.yaml.
	Config string
	// Files are put beside the configuration, by name: certificates.
	Files map[string][]byte
	// Stopped installs it without starting it.
	Stopped bool
}

// Files is the directory that a scaler finds its files in, in the text of its
// configuration.
const Files = "@FILES@"

// Scaler is an installed scaler. Its replicas are numbered from 0.
type Scaler interface {
	// Address is what stands in triggers.
	Address() string
	// Start starts a replica that does not run, and waits until it is ready.
	Start(ctx context.Context, replica int) error
	// Stop ends a replica in order, Kill does not.
	Stop(ctx context.Context, replica int) error
	Kill(ctx context.Context, replica int) error
	// Roll replaces one replica after the other as a Deployment does: the new one
	// is ready before the old one is told to end.
	Roll(ctx context.Context) error
	// Put replaces a file beside the configuration.
	Put(name string, content []byte) error
	// Metrics returns what a replica serves under /metrics.
	Metrics(ctx context.Context, replica int) (string, error)
	// Said returns what the replicas logged.
	Said(ctx context.Context) string
	// Close removes it.
	Close(ctx context.Context) error
}
