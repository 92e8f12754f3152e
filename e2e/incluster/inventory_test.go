package incluster

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestSince(t *testing.T) {
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	roles := schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"}
	old := Object{secrets, "a", "old"}
	before := Inventory{old: nil, Object{secrets, "a", "gone"}: nil}
	now := Inventory{
		old: nil, Object{secrets, "b", "old"}: nil, Object{secrets, "a", "new"}: nil, Object{roles, "", "new"}: nil,
	}
	const want = "[clusterroles.rbac.authorization.k8s.io /new secrets a/new secrets b/old]"
	if got := fmt.Sprint(now.Since(before)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if left := now.Since(now); len(left) > 0 {
		t.Errorf("%v since the same", left)
	}
}
