package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/infra-arch/zmy-scaler/e2e/cluster/kube"
)

func TestDebian(t *testing.T) {
	for _, tt := range []struct {
		name, release string
		ok            bool
	}{
		{"Debian", "NAME=x\nID=debian\nVERSION_ID=\"12\"\n", true},
		{"one that is like it", "ID=ubuntu\nID_LIKE=debian\n", false},
		{"nothing", "", false},
	} {
		if err := debian(tt.release); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestHierarchies(t *testing.T) {
	at := func(names ...string) (all []string) {
		for _, n := range names {
			all = append(all, "/sys/fs/cgroup/"+n)
		}
		return all
	}
	for _, tt := range []struct {
		name    string
		mounted []string
		missing string
	}{
		{"one for each", at("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids", "systemd"), ""},
		{"some together", at("cpu,cpuacct", "cpuset", "memory", "devices", "freezer", "pids"), ""},
		{"one is missing", at("cpu,cpuacct", "cpuset", "memory", "devices", "freezer"), "none for pids;"},
		{"version 2", nil, "none for cpu, cpuacct, cpuset, memory, devices, freezer, pids;"},
	} {
		err := hierarchies(tt.mounted)
		if (err == nil) != (tt.missing == "") || err != nil && !strings.Contains(err.Error(), tt.missing) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestFiles sees that all configurations are filled in, and are what they should be.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	n := &Node{Plane: kube.New(kube.Options{Dir: dir}), o: Options{Dir: dir, Parts: Parts{Packages: "/packages"}}}
	entries, err := files.ReadDir("files")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := n.text(e.Name())
		if err != nil {
			t.Error(err)
		}
		if strings.Contains(text, "{{") || !strings.Contains(text, dir) && !strings.Contains(text, dns) {
			t.Errorf("%s is not filled in:\n%s", e.Name(), text)
		}
		if ext := filepath.Ext(e.Name()); ext != ".yaml" && ext != ".conflist" {
			continue
		}
		for document := range strings.SplitSeq(text, "\n---\n") {
			if err := yaml.UnmarshalStrict([]byte(document), &map[string]any{}); err != nil {
				t.Errorf("%s: %v", e.Name(), err)
			}
		}
	}
}

// TestSaid sees that a failed boot shows what every pod logged, and that of the
// programs that is shown which is about the namespace.
func TestSaid(t *testing.T) {
	dir := t.TempDir()
	n := &Node{Plane: kube.New(kube.Options{Dir: dir})}
	for file, text := range map[string]string{
		"pods/a_pod_uid/c/0.log": "hello from a", "pods/keda_x_uid/c/1.log": "hello from keda",
		"log/kubelet.log": "about a/pod\nabout others\n", "log/containerd.log": "", "log/kube-controller-manager.log": "", "log/kube-scheduler.log": "",
	} {
		file = filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if said := n.Said(t.Context(), "a/"); !strings.Contains(said, "about a/pod") || strings.Contains(said, "about others") {
		t.Error(said)
	}
	for _, want := range []string{"-- keda_x_uid/c/1.log\nhello from keda\n", "-- a_pod_uid/c/0.log\nhello from a\n"} {
		if logs := n.podLogs(); !strings.Contains(logs, want) {
			t.Errorf("%q is not in\n%s", want, logs)
		}
	}
}
