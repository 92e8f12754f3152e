// Package engine evaluates every known trigger on the grid and answers calls
// from memory.
//
// A trigger is known from its first call on, until nobody has asked for it for
// a while. Its first call waits for a first evaluation; all later ones are
// answered from the newest decision and the live replica counts, so that how
// often KEDA calls never changes the load on Prometheus.
package engine
