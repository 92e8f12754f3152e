package promquery

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/prometheus/common/config"
)

// DefaultMaxConcurrency is how many requests a source sends at the same time
// when its configuration says nothing.
const DefaultMaxConcurrency = 8

// maxName bounds a source's name: it becomes a metric label.
const maxName = 63

// SourceConfig is one source of the configuration file.
type SourceConfig struct {
	// Name is how triggers refer to the source.
	Name string `yaml:"name"`
	// URL is the address below which /api/v1/query is served.
	URL string `yaml:"url"`
	// HTTP holds authentication, TLS, proxy and headers.
	HTTP config.HTTPClientConfig `yaml:"http,omitempty"`
	// Namespaces lists who may use the source: names or globs.
	Namespaces []string `yaml:"namespaces,omitempty"`
	// EnforceLabel is a label that says whose a series is, such as namespace: every
	// query sees only series on which it is the trigger's own namespace.
	EnforceLabel string `yaml:"enforceLabel,omitempty"`
	// MaxConcurrency is how many requests may be under way at once.
	MaxConcurrency int `yaml:"maxConcurrency,omitempty"`
}

// NewSourceConfig returns a source with every default: all namespaces may use
// it, redirects and HTTP/2 are on, and there is no authentication.
func NewSourceConfig(name, address string) SourceConfig {
	return SourceConfig{
		Name:           name,
		URL:            address,
		HTTP:           config.DefaultHTTPClientConfig,
		Namespaces:     []string{"*"},
		MaxConcurrency: DefaultMaxConcurrency,
	}
}

// UnmarshalYAML decodes a source on top of the defaults of [NewSourceConfig].
func (c *SourceConfig) UnmarshalYAML(unmarshal func(any) error) error {
	type plain SourceConfig
	*c = NewSourceConfig("", "")
	return unmarshal((*plain)(c))
}

// SetDirectory makes relative file names in the HTTP settings relative to dir.
func (c *SourceConfig) SetDirectory(dir string) { c.HTTP.SetDirectory(dir) }

// Allows reports whether a trigger in the namespace may use the source.
func (c SourceConfig) Allows(namespace string) bool {
	for _, pattern := range c.Namespaces {
		if ok, err := path.Match(pattern, namespace); ok && err == nil {
			return true
		}
	}
	return false
}

// Validate returns all faults of the source joined, each naming its key.
func (c SourceConfig) Validate() error {
	errs := []error{validateName(c.Name), validateURL(c.URL)}
	if err := c.HTTP.Validate(); err != nil {
		errs = append(errs, fmt.Errorf("http: %w", err))
	}
	if len(c.Namespaces) == 0 {
		errs = append(errs, errors.New(`namespaces is empty: nobody could use the source; write ["*"] for everybody`))
	}
	for _, pattern := range c.Namespaces {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			errs = append(errs, fmt.Errorf("namespaces: %q is neither a name nor a valid glob", pattern))
		}
	}
	errs = append(errs, validateEnforceLabel(c.EnforceLabel))
	if c.MaxConcurrency <= 0 {
		errs = append(errs, fmt.Errorf("maxConcurrency %d: must be above 0", c.MaxConcurrency))
	}
	return errors.Join(errs...)
}

func validateName(name string) error {
	if name == "" {
		return errors.New("name is missing")
	}
	bad := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		return !letter && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}
	if len(name) > maxName || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("name %q: use at most %d letters, digits, dashes, dots and underscores", name, maxName)
	}
	return nil
}

// validateURL never quotes the URL where it may hold a secret.
func validateURL(address string) error {
	if address == "" {
		return errors.New("url is missing")
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return errors.New("url cannot be parsed: write it like http://prometheus:9090")
	case u.User != nil:
		return errors.New("url holds credentials: put them under http.basic_auth")
	case u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return errors.New("url must be absolute and start with http:// or https://")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		// The fallback from POST to GET would drop a query string in silence.
		return errors.New("url must have no query string and no fragment")
	}
	return nil
}
