package node

import (
	"context"

	"github.com/infra-arch/zmy-scaler/e2e/tools"
)

// Parts are what a node is made of. They are made ready outside, where there is a
// network.
type Parts struct {
	// Tools are the programs by name.
	Tools map[string]string
	// Packages is the folder with Debian's packages, extracted.
	Packages string
	// KedaConfig is the folder with KEDA's manifests.
	KedaConfig string
}

// Make builds and fetches what the cache lacks.
func Make(ctx context.Context, cache tools.Cache) (Parts, error) {
	var p Parts
	var err error
	if p.Tools, err = cache.Ensure(ctx, tools.Node()); err != nil {
		return p, err
	}
	if p.Packages, err = cache.Packages(ctx); err != nil {
		return p, err
	}
	p.KedaConfig, err = cache.KedaConfig(ctx)
	return p, err
}
