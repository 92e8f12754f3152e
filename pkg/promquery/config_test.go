package promquery_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/infra-arch/zmy-scaler/pkg/promquery"
	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v2"
)

func TestSourceConfigValidate(t *testing.T) {
	tests := []struct {
		name string
		edit func(*promquery.SourceConfig)
		want []string
	}{
		{name: "defaults are valid", edit: func(*promquery.SourceConfig) {}},
		{name: "path", edit: func(c *promquery.SourceConfig) { c.URL = "https://mimir/prometheus" }},
		{name: "no name", edit: func(c *promquery.SourceConfig) { c.Name = "" }, want: []string{"name is missing"}},
		{name: "strange name", edit: func(c *promquery.SourceConfig) { c.Name = "a b" }, want: []string{`name "a b": use`}},
		{name: "long name", edit: func(c *promquery.SourceConfig) { c.Name = strings.Repeat("a", 64) }, want: []string{"at most 63"}},
		{name: "no url", edit: func(c *promquery.SourceConfig) { c.URL = "" }, want: []string{"url is missing"}},
		{name: "relative url", edit: func(c *promquery.SourceConfig) { c.URL = "prometheus:9090" }, want: []string{"url must be absolute"}},
		{name: "other scheme", edit: func(c *promquery.SourceConfig) { c.URL = "ftp://p" }, want: []string{"url must be absolute"}},
		{name: "no host", edit: func(c *promquery.SourceConfig) { c.URL = "http://:9090" }, want: []string{"url must be absolute"}},
		{name: "broken url", edit: func(c *promquery.SourceConfig) { c.URL = "http://a b\x7f" }, want: []string{"url cannot be parsed"}},
		{name: "query string", edit: func(c *promquery.SourceConfig) { c.URL = "http://p?a=b" }, want: []string{"no query string"}},
		{name: "fragment", edit: func(c *promquery.SourceConfig) { c.URL = "http://p#a" }, want: []string{"no fragment"}},
		{name: "credentials", edit: func(c *promquery.SourceConfig) { c.URL = "http://u:hunter2@p" }, want: []string{"url holds credentials: put them under http.basic_auth"}},
		{name: "bad glob", edit: func(c *promquery.SourceConfig) { c.Namespaces = []string{"a[", ""} }, want: []string{`namespaces: "a[" is`, `namespaces: "" is`}},
		{name: "nobody", edit: func(c *promquery.SourceConfig) { c.Namespaces = nil }, want: []string{"namespaces is empty"}},
		{name: "label", edit: func(c *promquery.SourceConfig) { c.EnforceLabel = "namespace" }},
		{name: "label in UTF-8", edit: func(c *promquery.SourceConfig) { c.EnforceLabel = "k8s.namespace.name" }},
		{name: "label not in UTF-8", edit: func(c *promquery.SourceConfig) { c.EnforceLabel = "a\xff" }, want: []string{`enforceLabel "a\xff": is no valid label name`}},
		{name: "name as label", edit: func(c *promquery.SourceConfig) { c.EnforceLabel = "__name__" }, want: []string{`enforceLabel "__name__": names that begin with __`}},
		{name: "no concurrency", edit: func(c *promquery.SourceConfig) { c.MaxConcurrency = 0 }, want: []string{"maxConcurrency 0: must be above 0"}},
		{name: "http", edit: func(c *promquery.SourceConfig) {
			c.HTTP.BasicAuth = &config.BasicAuth{}
			c.HTTP.Authorization = &config.Authorization{}
		}, want: []string{"http: at most one of"}},
		{
			name: "all at once",
			edit: func(c *promquery.SourceConfig) { *c = promquery.SourceConfig{EnforceLabel: "__x"} },
			want: []string{"name is missing", "url is missing", "namespaces is empty", "enforceLabel", "maxConcurrency"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := promquery.NewSourceConfig("default", "http://prometheus:9090")
			tt.edit(&c)
			err := c.Validate()
			if len(tt.want) == 0 {
				if err != nil {
					t.Fatalf("Validate() = %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("Validate() = nil, want an error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Validate() = %q, want %q in it", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Validate() = %q tells the password", err)
			}
			if _, err := promquery.NewSource(c); err == nil {
				t.Error("NewSource took a config that is not valid")
			}
		})
	}
}

func TestSourceConfigYAML(t *testing.T) {
	tests := []struct {
		name    string
		text    string
		want    func(*promquery.SourceConfig)
		wantErr string
	}{
		{name: "defaults", text: "name: a\nurl: http://p\n", want: func(*promquery.SourceConfig) {}},
		{name: "empty http keeps redirects", text: "name: a\nurl: http://p\nhttp: {}\n", want: func(*promquery.SourceConfig) {}},
		{
			name: "everything",
			text: "name: a\nurl: http://p\nhttp: {basic_auth: {username: u, password_file: f}}\nnamespaces: [x, 'y-*']\nenforceLabel: l\nmaxConcurrency: 3\n",
			want: func(c *promquery.SourceConfig) {
				c.HTTP.BasicAuth = &config.BasicAuth{Username: "u", PasswordFile: "/etc/f"}
				c.Namespaces = []string{"x", "y-*"}
				c.EnforceLabel = "l"
				c.MaxConcurrency = 3
			},
		},
		{name: "unknown key", text: "name: a\nurl: http://p\nnamespace: [x]\n", wantErr: "line 3: field namespace not found"},
		{name: "unknown key in http", text: "name: a\nhttp: {basic: {}}\n", wantErr: "field basic not found"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got promquery.SourceConfig
			err := yaml.UnmarshalStrict([]byte(tt.text), &got)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("error %v, want %q in it", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got.SetDirectory("/etc")
			want := promquery.NewSourceConfig("a", "http://p")
			tt.want(&want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(config.ProxyConfig{})); diff != "" {
				t.Errorf("config (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSourceConfigAllows(t *testing.T) {
	tests := []struct {
		name      string
		patterns  []string
		namespace string
		want      bool
	}{
		{name: "everybody", patterns: []string{"*"}, namespace: "shop", want: true},
		{name: "exact", patterns: []string{"a", "shop"}, namespace: "shop", want: true},
		{name: "glob", patterns: []string{"team-?-*"}, namespace: "team-a-prod", want: true},
		{name: "glob is no prefix", patterns: []string{"team"}, namespace: "team-a"},
		{name: "nobody", namespace: "shop"},
		{name: "broken glob", patterns: []string{"["}, namespace: "["},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := promquery.SourceConfig{Namespaces: tt.patterns}
			if got := c.Allows(tt.namespace); got != tt.want {
				t.Errorf("Allows(%q) = %v", tt.namespace, got)
			}
		})
	}
}
