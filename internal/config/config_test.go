package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/infra-arch/zmy-scaler/internal/config"
)

func TestLoad(t *testing.T) {
	t.Parallel()
	c, err := config.Load("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Evaluation{
		Interval: model.Duration(30 * time.Second), Timeout: model.Duration(8 * time.Second), QueryOffset: model.Duration(10 * time.Second),
	}, c.Evaluation); diff != "" {
		t.Errorf("evaluation (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(config.GRPC{Address: ":7000", TLS: config.TLS{
		CertFile: "testdata/tls/tls.crt", KeyFile: "/etc/tls/tls.key", ClientCAFile: "testdata/tls/ca.crt", AllowedClientNames: []string{"keda-operator"},
	}}, c.GRPC); diff != "" {
		t.Errorf("grpc (-want +got):\n%s", diff)
	}
	first, second := c.Sources[0], c.Sources[1]
	if first.HTTP.BasicAuth.PasswordFile != "testdata/secrets/password" || first.MaxConcurrency != 4 {
		t.Errorf("source %+v", first)
	}
	if !first.Allows("shop-eu") || first.Allows("shop") || !second.Allows("shop") {
		t.Error("namespaces are not as written")
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c, err := config.Parse([]byte("evaluation: {interval: 1s}\ngrpc: {tls: {}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Evaluation.Interval = model.Duration(time.Second)
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("what is not written is not the default (-want +got):\n%s", diff)
	}
}

// TestBad loads one file per fault; the file's name says what is wrong.
func TestBad(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"unknown-key":             {"line 3", "queryOfset"},
		"unknown-key-in-a-source": {"line 4", "namespace"},
		"interval-without-unit":   {"fifteen"},
		"interval-too-short":      {`evaluation.interval "10ms": must be between 100ms and 1h`},
		"no-source":               {"sources: at least one is needed"},
		"two-sources-of-one-name": {`sources[1].name "default": is taken`},
		"source-without-url":      {"sources[0]", "url is missing"},
		"tls-key-missing":         {"certFile and keyFile go together"},
		"client-names-without-ca": {"allowedClientNames: needs clientCAFile"},
		"address-without-port":    {`http.address "localhost": must be host:port`},
		"everything":              {"evaluation.interval", "evaluation.timeout", "evaluation.queryOffset", "sources:", "grpc.address", "clientCAFile: needs certFile"},
	}
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) != len(want) {
		t.Fatalf("%d files, %v; want %d", len(files), err, len(want))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := config.Load(file)
			if err == nil {
				err = c.Validate()
			}
			if err == nil {
				t.Fatal("taken as good")
			}
			if want[name] == nil {
				t.Fatalf("nobody says what is wrong with it: %v", err)
			}
			for _, text := range want[name] {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not tell %q", err, text)
				}
			}
		})
	}
}

func TestLoadWithoutFile(t *testing.T) {
	t.Parallel()
	if _, err := config.Load(filepath.Join(t.TempDir(), "none.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "testdata/bad/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content)
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := config.Parse(content)
		if err != nil || c.Validate() != nil {
			return
		}
		if e := c.Evaluation; e.Interval <= 0 || e.Timeout <= 0 || e.QueryOffset < 0 || len(c.Sources) == 0 {
			t.Fatalf("taken as good: %+v", c)
		}
	})
}
