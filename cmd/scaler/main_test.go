package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// do runs a command line and returns the exit code and both outputs.
func do(ctx context.Context, t *testing.T, vars map[string]string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(ctx, args, environment{out: &stdout, err: &stderr, lookup: func(k string) (string, bool) {
		v, ok := vars[k]
		return v, ok
	}})
	return code, stdout.String(), stderr.String()
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("sources:\n- colour: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		vars map[string]string
		code int
		errs string
	}{
		{name: "no command", code: exitUsage, errs: "no command"},
		{name: "an unknown command", args: []string{"sevre"}, code: exitUsage, errs: "sevre"},
		{name: "an unknown flag", args: []string{"serve", "--colour"}, code: exitUsage, errs: "colour"},
		{name: "an argument too many", args: []string{"version", "now"}, code: exitUsage, errs: "now"},
		{name: "a bad mode", args: []string{"serve", "--kubernetes=maybe", "--prometheus-url=http://localhost:1"}, code: exitUsage, errs: "auto or off"},
		{name: "a bad log level", args: []string{"serve", "--log-level=loud"}, code: exitUsage, errs: "loud"},
		{name: "a bad log format", args: []string{"serve", "--log-format=xml"}, code: exitUsage, errs: "xml"},
		{name: "a bad variable", args: []string{"serve"}, vars: map[string]string{"ZMY_HTTP_PPROF": "perhaps"}, code: exitUsage, errs: "ZMY_HTTP_PPROF"},
		{name: "no source", args: []string{"serve", "--kubernetes=off"}, code: exitFailure, errs: "--prometheus-url"},
		{name: "no such file", args: []string{"serve", "--config", filepath.Join(dir, "none.yaml")}, code: exitFailure, errs: "none.yaml"},
		{name: "a bad file", args: []string{"serve", "--config", bad}, code: exitFailure, errs: "line 2"},
		{name: "a bad kubeconfig", args: []string{"serve", "--kubeconfig", bad, "--prometheus-url=http://localhost:1"}, code: exitFailure, errs: "kubeconfig"},
		{name: "a bad speed", args: []string{"demo", "--speed=-1"}, code: exitUsage, errs: "speed"},
		{name: "help", args: []string{"serve", "--help"}, code: exitClean},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, _, errs := do(t.Context(), t, tt.vars, tt.args...)
			if code != tt.code || !strings.Contains(errs, tt.errs) {
				t.Errorf("exit %d, %q; want %d and a word about %q", code, errs, tt.code, tt.errs)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	code, out, _ := do(t.Context(), t, nil, "version")
	if code != exitClean {
		t.Errorf("exit %d", code)
	}
	for _, line := range []string{"scaler dev\n", "commit unknown\n", "go go1.", "keda api "} {
		if !strings.Contains(out, line) {
			t.Errorf("%q does not tell %q", out, line)
		}
	}
}

// TestServe starts and stops a scaler from variables alone.
func TestServe(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, _, errs := do(ctx, t, map[string]string{
		"ZMY_PROMETHEUS_URL": "http://127.0.0.1:1", "ZMY_KUBERNETES": "off", "ZMY_LOG_FORMAT": "json", "ZMY_DRAIN_DELAY": "0s",
		"ZMY_GRPC_ADDRESS": "127.0.0.1:0", "ZMY_HTTP_ADDRESS": "127.0.0.1:0",
	}, "serve")
	if code != exitClean || !strings.Contains(errs, `"msg":"serving"`) || !strings.Contains(errs, `"msg":"stopping"`) {
		t.Errorf("exit %d: %s", code, errs)
	}
}

// TestFlagsWin: a flag wins over the file, and over its variable.
func TestFlagsWin(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "scaler.yaml")
	if err := os.WriteFile(file, []byte("sources:\n- {name: default, url: 'http://file:9090'}\n- {name: other, url: 'http://other:9090'}\ngrpc: {address: ':1'}\nhttp: {address: ':2'}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := serveFlags{config: file, prometheusURL: "http://flag:9090", grpcAddress: ":3"}
	c, err := f.load()
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Sources) != 2 || c.Sources[0].URL != "http://flag:9090" || c.GRPC.Address != ":3" || c.HTTP.Address != ":2" {
		t.Errorf("got %+v", c)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	a, b := flags.String("grpc-address", "", ""), flags.String("http-address", "", "")
	if err := flags.Parse([]string{"--grpc-address=flag"}); err != nil {
		t.Fatal(err)
	}
	if err := fromEnvironment(flags, func(string) (string, bool) { return "variable", true }); err != nil || *a != "flag" || *b != "variable" {
		t.Errorf("got %q and %q, %v", *a, *b, err)
	}
}

// TestEveryFlagHasAVariable keeps names in the form that can be one.
func TestEveryFlagHasAVariable(t *testing.T) {
	t.Parallel()
	for _, cmd := range newRoot(environment{}).Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if v := variable(f.Name); strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" || f.Usage == "" {
				t.Errorf("%s --%s: %s, %q", cmd.Name(), f.Name, v, f.Usage)
			}
		})
	}
}
