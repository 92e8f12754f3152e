package main

import (
	"bytes"

	"github.com/infra-arch/zmy-scaler/internal/kube"
)

// rules returns the rules of the ClusterRole.
func rules() []byte {
	var b bytes.Buffer
	b.WriteString(yamlNote)
	for _, r := range kube.Rules() {
		b.WriteString(r.YAML())
	}
	return b.Bytes()
}
