// Package bench measures the scaler beside KEDA's own Prometheus scaler: the same
// triggers, the same real Prometheus, one run on one machine. It states goals,
// fails when one is missed, and writes docs/performance.md.
package bench

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/rig"
)

// roleVariable names the environment variable that makes the test binary one of
// the programs that are measured; arguments are in JSON in the other one.
const (
	roleVariable = "ZMY_BENCH_ROLE"
	argsVariable = "ZMY_BENCH_ARGS"
)

func TestMain(m *testing.M) {
	var err error
	switch role := os.Getenv(roleVariable); role {
	case "":
		flag.Parse()
		os.Exit(rig.Main(m))
	case "keda":
		err = runKEDA(os.Getenv(argsVariable))
	case "empty":
		err = runEmpty()
	default:
		err = fmt.Errorf("no role is called %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
