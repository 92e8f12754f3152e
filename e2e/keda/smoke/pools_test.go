package smoke

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/testrun"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/proc"
)

// poolCount is how many processes the workers are spread over.
const poolCount = 2

// startDelay is how long a worker takes to become ready.
const startDelay = 2 * time.Second

// pools are the workers of one service, in several processes, and what spreads
// the load over them.
type pools struct {
	addresses []string
	processes []*proc.Process
	replicas  int
	busy      float64
}

// startPools runs the workers, all of them ready.
func startPools(ctx context.Context, t *testing.T, replicas int) *pools {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "worker")
	if err := testrun.Build(ctx, "../", binary, "./cmd/worker"); err != nil {
		t.Fatal(err)
	}
	p := &pools{replicas: replicas}
	for i := range poolCount {
		name := fmt.Sprintf("workers %d", i+1)
		worker := proc.Start(t, name, exec.Command(binary,
			fmt.Sprintf("-replicas=%d", p.share(i)), fmt.Sprintf("-start-delay=%v", startDelay)))
		const says = "serving on "
		line, err := worker.Line(ctx, "where it serves", func(line string) bool { return strings.HasPrefix(line, says) })
		if err != nil {
			t.Fatal(err)
		}
		p.addresses = append(p.addresses, strings.TrimPrefix(line, says))
		p.processes = append(p.processes, worker)
	}
	return p
}

// share is how many of the workers a pool has: as equal as can be.
func (p *pools) share(i int) int { return (p.replicas + poolCount - 1 - i) / poolCount }

// resize does what the HPA does to a deployment.
func (p *pools) resize(ctx context.Context, t *testing.T, replicas int) {
	t.Helper()
	p.replicas = replicas
	p.spread(ctx, t)
}

// load sets how many busy workers the work asks for.
func (p *pools) load(ctx context.Context, t *testing.T, busy float64) {
	t.Helper()
	p.busy = busy
	p.spread(ctx, t)
}

// spread tells every pool its workers and its part of the load. What comes while
// there are no workers waits at the first pool.
func (p *pools) spread(ctx context.Context, t *testing.T) {
	t.Helper()
	for i := range p.addresses {
		part := 0.0
		switch {
		case p.replicas > 0:
			part = p.busy * float64(p.share(i)) / float64(p.replicas)
		case i == 0:
			part = p.busy
		}
		p.put(ctx, t, i, fmt.Sprintf("replicas?n=%d", p.share(i)))
		p.put(ctx, t, i, fmt.Sprintf("demand?busy=%g", part))
	}
}

func (p *pools) put(ctx context.Context, t *testing.T, i int, what string) {
	t.Helper()
	code, err := fetch(ctx, http.MethodPut, "http://"+p.addresses[i]+"/"+what)
	if err != nil || code != http.StatusNoContent {
		t.Fatalf("PUT %s: %d, %v", what, code, err)
	}
}
