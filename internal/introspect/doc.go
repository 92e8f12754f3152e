// Package introspect tells people and programs what the engine knows of its
// triggers: as messages of proto/zmy/v1, over gRPC and as JSON over HTTP. It
// decides nothing; every number comes from a decision or from what KEDA is told.
package introspect
