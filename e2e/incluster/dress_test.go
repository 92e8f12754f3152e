package incluster

import (
	"encoding/json"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// workload is a Deployment with containers, by their images.
func workload(images map[string]string) *unstructured.Unstructured {
	var containers []any
	for name, image := range images {
		containers = append(containers, map[string]any{"name": name, "image": image})
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": containers}}},
	}}
}

// TestClothes sees that only those containers get a program that have none.
func TestClothes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		images map[string]string
		want   []string
	}{
		{"in name only", map[string]string{"worker": "example.invalid/worker:1"}, []string{"worker"}},
		{"beside a real one", map[string]string{"worker": "example.invalid/worker:1", "proxy": "proxy:1"}, []string{"worker"}},
		{"dressed already", map[string]string{"worker": "e2e.invalid/actor:1"}, nil},
		{"somebody else's", map[string]string{"web": "nginx"}, nil},
		{"none", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := clothes(workload(tt.images), "e2e.invalid/actor:1")
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == nil {
				if text != nil {
					t.Fatalf("patched with %s", text)
				}
				return
			}
			var patch appsv1.Deployment
			if err := json.Unmarshal(text, &patch); err != nil {
				t.Fatal(err)
			}
			dressed := patch.Spec.Template.Spec.Containers
			if len(dressed) != len(tt.want) {
				t.Fatalf("patched with %s", text)
			}
			for i, c := range dressed {
				if c.Name != tt.want[i] || c.Image != "e2e.invalid/actor:1" || c.ReadinessProbe == nil || c.SecurityContext == nil {
					t.Errorf("container %d is %+v", i, c)
				}
			}
		})
	}
}
