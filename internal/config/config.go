// Package config reads the scaler's configuration file: strict YAML, in which an
// unknown key is an error that names the line.
package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v2"

	"github.com/infra-arch/zmy-scaler/pkg/promquery"
)

// Config is the configuration of a scaler.
type Config struct {
	Evaluation Evaluation               `yaml:"evaluation,omitempty"`
	Sources    []promquery.SourceConfig `yaml:"sources,omitempty"`
	GRPC       GRPC                     `yaml:"grpc,omitempty"`
	HTTP       HTTP                     `yaml:"http,omitempty"`
}

// Evaluation says when triggers are evaluated.
type Evaluation struct {
	// Interval is the grid.
	Interval model.Duration `yaml:"interval,omitempty"`
	// Timeout bounds one round of queries, which never takes longer than the
	// interval either, and how long a first call waits.
	Timeout model.Duration `yaml:"timeout,omitempty"`
	// QueryOffset is how far in the past everything is evaluated, so that late
	// scrapes are in and a backfilled window equals a live one.
	QueryOffset model.Duration `yaml:"queryOffset,omitempty"`
}

// GRPC says where KEDA reaches the scaler, and how.
type GRPC struct {
	// Address is where the server listens.
	Address string `yaml:"address,omitempty"`
	// TLS is off while it names no certificate.
	TLS TLS `yaml:"tls,omitempty"`
}

// TLS names files in PEM. They are watched and reloaded.
type TLS struct {
	// CertFile holds the server's certificate and what stands between it and
	// its root.
	CertFile string `yaml:"certFile,omitempty"`
	// KeyFile holds the certificate's key.
	KeyFile string `yaml:"keyFile,omitempty"`
	// ClientCAFile holds the authorities that clients must have their
	// certificates from; empty asks clients for none.
	ClientCAFile string `yaml:"clientCAFile,omitempty"`
	// AllowedClientNames are the DNS names, URIs, addresses or common names of
	// which a client certificate must have one; empty allows every client that
	// the CA vouches for.
	AllowedClientNames []string `yaml:"allowedClientNames,omitempty"`
}

// HTTP says where people, probes and Prometheus reach the scaler.
type HTTP struct {
	// Address is where the server listens.
	Address string `yaml:"address,omitempty"`
}

// Default returns the configuration of an empty file.
func Default() Config {
	return Config{
		Evaluation: Evaluation{
			Interval:    model.Duration(15 * time.Second),
			Timeout:     model.Duration(10 * time.Second),
			QueryOffset: model.Duration(5 * time.Second),
		},
		GRPC: GRPC{Address: ":6000"},
		HTTP: HTTP{Address: ":8080"},
	}
}

// Load reads a file on top of the defaults. Relative file names in it are taken
// from where it lies. It does not validate: flags may have the last word.
func Load(file string) (Config, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	c, err := Parse(content)
	if err != nil {
		return Config{}, fmt.Errorf("configuration %s: %w", file, err)
	}
	c.setDirectory(filepath.Dir(file))
	return c, nil
}

// Parse reads the content of a file on top of the defaults.
func Parse(content []byte) (Config, error) {
	c := Default()
	if err := yaml.UnmarshalStrict(content, &c); err != nil {
		return Config{}, err
	}
	return c, nil
}

func (c *Config) setDirectory(dir string) {
	for i := range c.Sources {
		c.Sources[i].SetDirectory(dir)
	}
	for _, file := range []*string{&c.GRPC.TLS.CertFile, &c.GRPC.TLS.KeyFile, &c.GRPC.TLS.ClientCAFile} {
		if *file != "" && !filepath.IsAbs(*file) {
			*file = filepath.Join(dir, *file)
		}
	}
}

// CheckInterval returns why an evaluation.interval cannot be used, nil when it can.
func CheckInterval(d time.Duration) error {
	if d < 100*time.Millisecond || d > time.Hour {
		return errors.New("must be between 100ms and 1h")
	}
	return nil
}

// CheckQueryOffset returns why an evaluation.queryOffset cannot be used, nil when it
// can.
func CheckQueryOffset(d time.Duration) error {
	if d < 0 || d > time.Hour {
		return errors.New("must be between 0s and 1h")
	}
	return nil
}

// Validate returns all faults of the configuration joined, each naming its key.
func (c *Config) Validate() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	e := c.Evaluation
	if err := CheckInterval(time.Duration(e.Interval)); err != nil {
		fault("evaluation.interval %q: %w", e.Interval, err)
	}
	if e.Timeout <= 0 {
		fault("evaluation.timeout %q: must be longer than 0", e.Timeout)
	}
	if err := CheckQueryOffset(time.Duration(e.QueryOffset)); err != nil {
		fault("evaluation.queryOffset %q: %w", e.QueryOffset, err)
	}
	errs = append(errs, c.validateSources()...)
	for _, a := range []struct{ key, address string }{{"grpc.address", c.GRPC.Address}, {"http.address", c.HTTP.Address}} {
		if _, _, err := net.SplitHostPort(a.address); err != nil {
			fault("%s %q: must be host:port or :port", a.key, a.address)
		}
	}
	return errors.Join(append(errs, c.GRPC.TLS.validate()...)...)
}

func (c *Config) validateSources() []error {
	var errs []error
	if len(c.Sources) == 0 {
		errs = append(errs, errors.New("sources: at least one is needed, in the file or by --prometheus-url"))
	}
	seen := map[string]bool{}
	for i, s := range c.Sources {
		if err := s.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("sources[%d] %q: %w", i, s.Name, err))
		}
		if seen[s.Name] {
			errs = append(errs, fmt.Errorf("sources[%d].name %q: is taken by another source", i, s.Name))
		}
		seen[s.Name] = true
	}
	return errs
}

func (t TLS) validate() []error {
	var errs []error
	if (t.CertFile == "") != (t.KeyFile == "") {
		errs = append(errs, errors.New("grpc.tls: certFile and keyFile go together"))
	}
	if t.ClientCAFile != "" && t.CertFile == "" {
		errs = append(errs, errors.New("grpc.tls.clientCAFile: needs certFile and keyFile"))
	}
	if len(t.AllowedClientNames) > 0 && t.ClientCAFile == "" {
		errs = append(errs, errors.New("grpc.tls.allowedClientNames: needs clientCAFile"))
	}
	return errs
}
