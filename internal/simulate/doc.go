// Package simulate replays a demand against a fleet that is scaled, in a closed
// loop: the size that is decided on now is what the next samples are taken from.
// Work is conserved. What a fleet that is too small cannot do waits and is done
// later, and a new worker takes a while to start.
//
// The decisions are made by decision.Decide and decision.Tell, as live ones are;
// the workers are those of package fleet and the HPA and KEDA those of package
// autoscaler, as in the demo. Nothing here knows a rule of its own.
//
// A run depends on its arguments only, reads no clock, and is repeatable.
package simulate
