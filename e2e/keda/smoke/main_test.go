// Package smoke runs the whole loop on real parts: a Prometheus server, workers
// that it scrapes over HTTP, the built scaler, and KEDA's own client.
package smoke

import (
	"os"
	"testing"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }
