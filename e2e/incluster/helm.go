package incluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// settles is how long helm may wait until what it did is done: a rolling update
// waits for minReadySeconds, once for each replica.
const settles = 5 * time.Minute

// releaseName is the name of every release, which is that of the chart: so the
// scaler's objects have no longer name than this.
const releaseName = "zmy-scaler"

// Chart is the chart in a namespace.
type Chart struct {
	c         *Cluster
	namespace string
}

// Chart returns the chart in a namespace, installed or not.
func (c *Cluster) Chart(namespace string) Chart { return Chart{c: c, namespace: namespace} }

// Install installs a release and waits until it works.
func (h Chart) Install(ctx context.Context, r Release, values ...map[string]any) error {
	return h.put(ctx, "install", r, values)
}

// Upgrade replaces what is installed and waits until that works. It has the given
// values, and none from before.
func (h Chart) Upgrade(ctx context.Context, r Release, values ...map[string]any) error {
	return h.put(ctx, "upgrade", r, values)
}

// Uninstall removes what is installed and waits until it is gone.
func (h Chart) Uninstall(ctx context.Context) error {
	h.note(false)
	return h.helm(ctx, "uninstall", releaseName, "--ignore-not-found", "--wait", "--timeout", settles.String())
}

// put installs or upgrades. Later values win over earlier ones.
func (h Chart) put(ctx context.Context, how string, r Release, values []map[string]any) error {
	values = append([]map[string]any{{
		// The tag is the chart's appVersion.
		"image": map[string]any{"repository": r.Image.Name[:strings.LastIndex(r.Image.Name, ":")]},
		"keda":  map[string]any{"namespace": h.c.o.Keda},
		// Many run on one small node.
		"resources": map[string]any{"requests": map[string]any{"cpu": "10m", "memory": "32Mi"}},
	}}, values...)
	h.note(true)
	args := []string{how, releaseName, r.Chart, "--wait", "--timeout", settles.String()}
	for _, v := range values {
		text, err := yaml.Marshal(v)
		if err != nil {
			return err
		}
		file := h.c.file("values.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			return err
		}
		args = append(args, "--values", file)
	}
	return h.helm(ctx, args...)
}

// note notes where something is installed.
func (h Chart) note(installed bool) {
	h.c.shared.mu.Lock()
	defer h.c.shared.mu.Unlock()
	if installed {
		h.c.shared.installed[h.namespace] = h
	} else {
		delete(h.c.shared.installed, h.namespace)
	}
}

// helm runs the program with everything that it keeps in our directory.
func (h Chart) helm(ctx context.Context, args ...string) error {
	env := []string{"HELM_NAMESPACE=" + h.namespace}
	for _, kind := range []string{"CACHE", "CONFIG", "DATA"} {
		env = append(env, "HELM_"+kind+"_HOME="+filepath.Join(h.c.o.Dir, "helm"))
	}
	_, err := command(ctx, h.c.o.Dir, env, h.c.o.Kit.Helm, append(args, "--kubeconfig", h.c.o.Ground.Kubeconfig())...)
	return err
}

// file names a file that nobody has written yet.
func (c *Cluster) file(name string) string {
	c.shared.mu.Lock()
	defer c.shared.mu.Unlock()
	c.shared.files++
	return filepath.Join(c.o.Dir, fmt.Sprintf("%d-%s", c.shared.files, name))
}
