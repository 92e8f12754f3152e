package kube

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	write := func(name, host string) string {
		path := filepath.Join(dir, name)
		text := "apiVersion: v1\nkind: Config\ncurrent-context: c\n" +
			"clusters: [{name: k, cluster: {server: \"" + host + "\"}}]\n" +
			"contexts: [{name: c, context: {cluster: k, user: u}}]\nusers: [{name: u}]\n"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	explicit, env := write("explicit", "https://explicit"), write("env", "https://env")
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, mode, kubeconfig, env string
		pod                         bool
		host, err                   string
	}{
		{name: "off", mode: ModeOff, kubeconfig: explicit},
		{name: "no such mode", mode: "on", err: `unknown kubernetes mode "on"`},
		{name: "explicit", mode: ModeAuto, kubeconfig: explicit, env: env, host: "https://explicit"},
		{name: "no such file", mode: ModeAuto, kubeconfig: filepath.Join(dir, "none"), err: "read kubeconfig"},
		{name: "none", mode: ModeAuto},
		{name: "environment", mode: ModeAuto, env: env, host: "https://env"},
		{name: "a bad file in the environment", mode: ModeAuto, env: bad, err: "read $KUBECONFIG"},
		{name: "a pod without a token", mode: ModeAuto, pod: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", c.env)
			host, port := "", ""
			if c.pod {
				host, port = "10.0.0.1", "443"
			}
			t.Setenv("KUBERNETES_SERVICE_HOST", host)
			t.Setenv("KUBERNETES_SERVICE_PORT", port)
			cfg, err := Config(c.mode, c.kubeconfig)
			switch {
			case c.err != "":
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got error %v, want %q", err, c.err)
				}
			case err != nil:
				t.Errorf("got error %v", err)
			case c.host == "":
				if cfg != nil {
					t.Errorf("got a config for %q, want none", cfg.Host)
				}
			default:
				same(t, "host", c.host, cfg.Host)
				same(t, "user agent", "zmy-scaler", cfg.UserAgent)
			}
		})
	}
	if _, err := Config("on", ""); !errors.Is(err, ErrMode) {
		t.Errorf("got %v, want %v", err, ErrMode)
	}
}

func TestNewWithoutConfig(t *testing.T) {
	r, err := New(nil, slog.New(slog.DiscardHandler), time.Now)
	if r != nil || err != nil {
		t.Errorf("got %v, %v, want nothing", r, err)
	}
}

func TestNewRefusesABadConfig(t *testing.T) {
	_, err := New(&rest.Config{Host: "://"}, slog.New(slog.DiscardHandler), time.Now)
	if err == nil {
		t.Error("no error")
	}
}
