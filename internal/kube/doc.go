// Package kube reads Kubernetes: which trigger of a ScaledObject is asked for,
// how many replicas its target has, and what the HPA has done and will ignore.
//
// A [Reader] keeps small copies of what it needs in memory, fed by watches, and
// answers [Reader.Look] from there. It never writes, and it never stands in the
// way: while the API server is unreachable, slow or forbids something, the
// answer says that the thing is unknown. Nothing unknown is made a number.
//
// Only the dynamic client is linked. The typed one would double the binary.
package kube
