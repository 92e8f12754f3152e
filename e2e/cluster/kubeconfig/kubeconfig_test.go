package kubeconfig

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpen names everything of KEDA's that a cluster lacks.
func TestOpen(t *testing.T) {
	for _, tt := range []struct {
		name   string
		served []string
		want   []string // in the error; none without any
	}{
		{"KEDA is there", []string{"keda.sh/v1alpha1", "external.metrics.k8s.io/v1beta1"}, nil},
		{"its adapter is not", []string{"keda.sh/v1alpha1"}, []string{"external.metrics.k8s.io/v1beta1"}},
		{"nothing is", nil, []string{"keda.sh/v1alpha1", "external.metrics.k8s.io/v1beta1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for _, group := range tt.served {
					if r.URL.Path == "/apis/"+group {
						w.Header().Set("Content-Type", "application/json")
						_, _ = w.Write([]byte(`{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"` + group + `","resources":[]}`))
						return
					}
				}
				http.NotFound(w, r)
			}))
			defer server.Close()
			file := filepath.Join(t.TempDir(), "kubeconfig")
			text := `{"apiVersion": "v1", "kind": "Config", "current-context": "a",
"clusters": [{"name": "a", "cluster": {"server": "` + server.URL + `"}}],
"contexts": [{"name": "a", "context": {"cluster": "a"}}]}`
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Open(Options{File: file})
			if len(tt.want) == 0 {
				if err != nil || c.Config().Host != server.URL {
					t.Errorf("%v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("it was taken for a cluster with KEDA")
			}
			for _, group := range tt.want {
				if !strings.Contains(err.Error(), group) {
					t.Errorf("%s is not in: %v", group, err)
				}
			}
		})
	}
}

// TestLoadImage runs the command with the archive as its last argument.
func TestLoadImage(t *testing.T) {
	dir := t.TempDir()
	archive, copied := filepath.Join(dir, "an image.tar"), filepath.Join(dir, "copy")
	if err := os.WriteFile(archive, []byte("layers"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := &Cluster{o: Options{Load: "cp --target-directory=" + copied}}
	if err := c.LoadImage(t.Context(), archive); err == nil || !strings.Contains(err.Error(), "copy") {
		t.Errorf("without a directory: %v", err)
	}
	if err := os.Mkdir(copied, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := c.LoadImage(t.Context(), archive); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(copied, "an image.tar")); err != nil || string(got) != "layers" {
		t.Errorf("%q, %v", got, err)
	}
	if err := (&Cluster{}).LoadImage(t.Context(), archive); err == nil {
		t.Error("an image was loaded without a command")
	}
}
