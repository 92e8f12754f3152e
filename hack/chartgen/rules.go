package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/infra-arch/zmy-scaler/internal/kube"
)

// rules returns the rules of the ClusterRole.
func rules() []byte {
	var b bytes.Buffer
	b.WriteString(yamlNote)
	for _, r := range kube.Rules() {
		fmt.Fprintf(&b, "# %s\n- apiGroups: [%s]\n  resources: [%s]\n  verbs: [%s]\n", r.Why, quoted(r.Groups), quoted(r.Resources), quoted(r.Verbs))
	}
	return b.Bytes()
}

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(out, ", ")
}
