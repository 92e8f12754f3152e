package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infra-arch/zmy-scaler/e2e/internal/testrun"
	"github.com/infra-arch/zmy-scaler/e2e/keda/internal/proc"
)

// startTimeout is how long a scaler may take to serve.
const startTimeout = 30 * time.Second

// Scaler is a scaler in a process of its own.
type Scaler struct {
	*proc.Process
	// GRPC and HTTP are its addresses.
	GRPC, HTTP string
}

// StartScaler runs "scaler serve" on free ports, without Kubernetes, and waits
// until it serves. Arguments win over these.
func StartScaler(t testing.TB, name string, args ...string) *Scaler {
	t.Helper()
	all := append([]string{
		"serve", "--kubernetes=off", "--log-format=json", "--drain-delay=200ms",
		"--grpc-address=127.0.0.1:0", "--http-address=127.0.0.1:0",
	}, args...)
	cmd := exec.Command(os.Getenv(testrun.ScalerVariable), all...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "ZMY_") })
	s := &Scaler{Process: proc.Start(t, name, cmd)}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	line, err := s.Line(ctx, "where it serves", func(line string) bool { return strings.Contains(line, `"msg":"serving"`) })
	if err != nil {
		t.Fatal(err)
	}
	var entry struct{ GRPC, HTTP string }
	if err := json.Unmarshal([]byte(line), &entry); err != nil {
		t.Fatal(err)
	}
	s.GRPC, s.HTTP = entry.GRPC, entry.HTTP
	return s
}

// Config is a configuration file to be.
type Config struct {
	// Interval and Timeout are those of evaluation; 1s and 1s by default.
	Interval, Timeout string
	// Offset is the query offset; 0s by default.
	Offset string
	// Sources are URLs by name.
	Sources map[string]string
	// Namespaces, where set, are who may use the sources.
	Namespaces []string
	// TLS is the block below grpc.tls.
	TLS map[string]any
}

// Write writes the file and returns the argument for it.
func (c Config) Write(t testing.TB) string {
	t.Helper()
	sources := []map[string]any{}
	for name, url := range c.Sources {
		source := map[string]any{"name": name, "url": url}
		if c.Namespaces != nil {
			source["namespaces"] = c.Namespaces
		}
		sources = append(sources, source)
	}
	file := map[string]any{
		"evaluation": map[string]any{
			"interval": or(c.Interval, "1s"), "timeout": or(c.Timeout, "1s"), "queryOffset": or(c.Offset, "0s"),
		},
		"sources": sources,
	}
	if c.TLS != nil {
		file["grpc"] = map[string]any{"tls": c.TLS}
	}
	content, err := json.Marshal(file) // which is YAML
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "scaler.yaml")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("--config=%s", name)
}
