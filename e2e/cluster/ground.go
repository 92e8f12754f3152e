package cluster

import (
	"context"

	"k8s.io/client-go/rest"
)

// Ground is a cluster whose pods really run, with KEDA on it. Everything else that
// the scenarios need is put there as pods; see package incluster.
type Ground interface {
	// Config gives an administrator's access.
	Config() *rest.Config
	// Kubeconfig is the file with that access, for programs.
	Kubeconfig() string
	// LoadImage gives the nodes an image, from an archive that has its name in it.
	LoadImage(ctx context.Context, archive string) error
	// Said returns what the programs below the pods logged about a namespace; empty
	// where they are out of reach.
	Said(ctx context.Context, namespace string) string
	// Close ends the cluster, or leaves one that was there before.
	Close(ctx context.Context) error
}
