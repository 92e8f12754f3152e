// Package zmy holds the words the rest of the project speaks: yields, samples,
// the grid of instants at which everything is evaluated, series and windows.
//
// ZMY, "Zero-Metric Yield", is the idle share of the service that a fleet of
// workers feeds: 0 means saturated, 1 means idle.
//
// The package is pure. It imports nothing but the standard library, reads no
// clock and does no I/O; TestPurity enforces it together with package decision.
package zmy
