// Package decision is the control law: what a fleet of workers should be, from
// what was observed of it.
//
// [Decide] is one pure function of a [Policy], a window of samples, the [Fleet]
// and a grid instant. [Tell] is a second one: it turns a decision and the live
// replica counts into what KEDA is told. Live serving, shadow mode, the demo and
// replays all go through these two.
//
// Nothing here reads a clock, does I/O or keeps state, and products that feed a
// sum or a rounding are wrapped in float64(...), since some architectures would
// otherwise fuse them and differ in the last bit. TestPurity enforces the first
// two.
package decision
