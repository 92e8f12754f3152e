// Package backtest replays a demand, or recorded history, for a ScaledObject: it
// reads both, runs the closed loop of package simulate, and reports what came of
// it.
package backtest
